#include "harness/forward_expected.hpp"

#include <algorithm>
#include <cmath>

#include "harness/layout.hpp"
#include "harness/values.hpp"

namespace gradsmith {
namespace {

constexpr std::uint64_t tangent_stream = 2000;  // streams below are those of inputs, roots and directions

/// A random tangent for each leaf.
Tangents tangents_for(const Chain& chain, std::size_t statements) {
  Tangents along(chain.names.size());
  for (std::size_t i = 0; i < statements; ++i) {
    const auto* input = std::get_if<Input>(&chain.statements[i]);
    if (!input || !input->requires_grad) continue;
    const auto positions = storage_positions(input_layout(*input));
    const std::int64_t cells = positions.empty() ? 0 : *std::max_element(positions.begin(), positions.end()) + 1;
    const Spec spec{.kind = Spec::Kind::normal, .seed = direction_seed(*input)};
    const auto by_cell =
        generate_values(spec, DType::f64, cells, tangent_stream + static_cast<std::uint64_t>(input->name));
    for (const auto position : positions) along[input->name].push_back(by_cell[position]);
  }
  return along;
}

/// U21: the formula for the tangent reads an operand that the write has just changed.
bool reads_what_it_wrote(const Step& step, const TypedStep& typed) {
  const Args args(step.args);
  return std::any_of(step.op->saves.begin(), step.op->saves.end(), [&](const Save& row) {
    if (row.reads <= 0 || (row.when && !row.when(args, typed.operands)) || !args.is_tensor(row.reads)) return false;
    const TensorInfo &target = typed.operands[0], &operand = typed.operands[row.reads];
    return target.storage == operand.storage && shares_cells(target.layout, operand.layout);
  });
}

/// A write that only the tangent gets: `copy_` of a tensor's own memory, which returns early, into what is detached.
bool writes_tangent_alone(const Step& step, const TypedStep& typed, const Evaluator& evaluator) {
  if (!step.inplace || step.op->name != "copy" || !same_place(typed.operands[0], typed.operands[1])) return false;
  const Value target = Args(step.args).tensor(0), source = Args(step.args).tensor(1);
  return evaluator.tracks(source) && !evaluator.share_history(target, source);
}

/// What a step on tensors with tangents must raise; empty if nothing.
std::string_view refusal_of(const Step& step, const TypedStep& typed, const Evaluator& evaluator) {
  const Args args(step.args);
  if (step.op->forward_refusal)
    if (const auto id = step.op->forward_refusal(args, step.inplace); !id.empty()) return id;
  if (step.op->backward_refusal)  // E21, E22: the same formula, which forward mode needs at once
    if (const auto id = step.op->backward_refusal(args, step.inplace); !id.empty() && id != "E23") return id;
  // The tangent is written too, in the layout of its tensor, and with a kernel that checks (fills only clear it).
  const bool unchecked = (step.inplace && step.op->overlap_unchecked && !step.op->functional) ||
                         writes_tangent_alone(step, typed, evaluator);
  return unchecked && has_internal_overlap(typed.operands[0].layout) ? "E13" : "";
}

class Run {
 public:
  Run(const Chain& chain, const Typed& typed, const Outcome& outcome, std::size_t statements, std::uint64_t noise)
      : chain_(chain),
        typed_(typed),
        outcome_(outcome),
        statements_(statements),
        evaluator_(noise, DType::f64, NoGradViews::forward_mode) {}

  ForwardExpected operator()(const std::vector<Value>& implied_roots) {
    for (std::size_t i = 0; i < statements_ && out_.open.empty() && out_.hole.empty(); ++i) {
      if (const auto* step = std::get_if<Step>(&chain_.statements[i])) {
        foresee(*step, typed_.steps[i]);
        if (out_.refusal) break;
      }
      evaluator_.add(chain_.statements[i], typed_);
      take(chain_.statements[i]);
    }
    out_.along = tangents_for(chain_, statements_);
    if (out_.refusal || !out_.open.empty() || !out_.hole.empty()) return std::move(out_);
    note_roots(Spec{}, implied_roots);
    gather();
    if (!evaluator_.open().empty()) out_.open = evaluator_.open();
    if (evaluator_.nan()) out_.open = "tangents through NaN depend on the kernel's loop";
    if (!evaluator_.stable()) out_.open = "a replica takes another branch";
    return std::move(out_);
  }

 private:
  /// A refusal, or a hole, that the model sees coming.
  void foresee(const Step& step, const TypedStep& typed) {
    ++steps_;
    if (step.inplace) {
      const int target = typed.operands[0].storage;
      if (std::find(constants_.begin(), constants_.end(), target) != constants_.end())
        out_.open = "a gradient with a name is written";  // its value then is not its last
    }
    if (inference_ > 0) return;
    const Args args(step.args);
    bool dual = false, unseen = false, reaches_autograd = false;
    for (std::size_t i = 0; i < args.size(); ++i) {
      if (!args.is_tensor(i)) continue;
      reaches_autograd |= !typed.operands[i].inference;
      if (!step.op->params[i].differentiable || !evaluator_.tracks(args.tensor(i))) continue;
      dual = true;
      unseen |= typed.operands[i].inference;
    }
    if (!dual) return;
    if (!reaches_autograd)  // what a write has given a tangent: ops on it alone pass autograd by, and its refusals
      out_.hole = "U24";
    else if (const auto id = refusal_of(step, typed, evaluator_); !id.empty())
      out_.refusal = Refusal{{Phase::Kind::step, steps_}, std::string(id), {}};
    else if (step.inplace && reads_what_it_wrote(step, typed))
      out_.hole = "U21";
    else if (unseen)
      out_.hole = "U24";
  }

  void take(const Statement& statement) {
    if (const auto* region = std::get_if<RegionBegin>(&statement)) {
      regions_.push_back(region->kind == RegionBegin::Kind::inference);
      inference_ += regions_.back();
    } else if (std::holds_alternative<RegionEnd>(statement)) {
      inference_ -= regions_.back();
      regions_.pop_back();
    } else if (const auto* input = std::get_if<Input>(&statement)) {
      defined_.push_back(input->name);
      if (input->requires_grad) leaves_.push_back(input->name);
    } else if (const auto* step = std::get_if<Step>(&statement)) {
      for (const Value result : step->results)
        if (result != dropped) defined_.push_back(result);
    } else if (const auto* backward = std::get_if<Backward>(&statement)) {
      if (!backward->wrt) note_roots(backward->cotangent, backward->roots);
      for (const Value result : backward->results) {
        if (result == dropped) continue;
        evaluator_.bind(result,
                        std::vector<Lanes>(outcome_.values[result]->data.begin(), outcome_.values[result]->data.end()));
        constants_.push_back(typed_.values[result].storage);
        defined_.push_back(result);
      }
    }
  }

  /// What the product needs of roots as they are now.
  void note_roots(const std::optional<Spec>& cotangent, const std::vector<Value>& roots) {
    const auto weights = seeds(cotangent, roots, typed_);
    for (std::size_t r = 0; r < roots.size(); ++r) {
      const auto elements = evaluator_.read(roots[r]);
      for (std::size_t e = 0; e < elements.size(); ++e) terms_.emplace_back(weights[r][e], elements[e].node);
    }
  }

  void gather() {
    std::vector<Lanes> tangent(Tape::active().size());
    for (const Value leaf : leaves_)
      for (std::size_t e = 0; e < out_.along[leaf].size(); ++e) tangent[evaluator_.leaf(leaf)[e]] = out_.along[leaf][e];
    if (!Tape::active().tangents(tangent)) out_.open = "tangents not finite";
    const auto of = [&](int node) { return node < 0 ? Lanes(0.0) : tangent[node]; };
    out_.tangents.resize(chain_.names.size());
    for (const Value value : defined_) {
      if (!is_floating(typed_.values[value].dtype)) continue;
      const auto elements = evaluator_.read(value);
      std::vector<Lanes> tangents;
      for (const Var& v : elements) tangents.push_back(of(v.node));
      Spread& spread = out_.tangents[value].emplace(spread_of(tangents));
      for (std::size_t e = 0; e < elements.size(); ++e) {
        if (std::isfinite(elements[e].exact())) continue;
        spread.spread[e] = NAN;  // there is no slope at infinity
        // Where nothing arrives LibTorch has 0, or 0 times infinity, and hands it on.
        const int node = elements[e].node;
        if (node >= 0 && Tape::active()[node].a < 0 && tangent[node].exact() == 0) out_.open = "tangents not finite";
      }
    }
    Lanes product(0.0);
    for (const auto& [weight, node] : terms_) product = product + Lanes(weight) * of(node);
    out_.product = spread_of({product});
  }

  const Chain& chain_;
  const Typed& typed_;
  const Outcome& outcome_;
  const std::size_t statements_;
  Evaluator evaluator_;
  ForwardExpected out_{};
  std::vector<Value> defined_{}, leaves_{};
  std::vector<std::pair<double, int>> terms_{};  // cotangent and node
  std::vector<int> constants_{};                 // storages of gradients with names
  std::vector<char> regions_{};
  int inference_ = 0, steps_ = 0;
};

}  // namespace

void widen(ForwardExpected& into, const ForwardExpected& more) {
  widen(into.tangents, more.tangents);
  widen(into.product, more.product);
  if (into.open.empty()) into.open = more.open;
}

std::size_t forward_statements(const Chain& chain, const std::optional<Refusal>& refusal) {
  int backwards = 0;
  for (std::size_t i = 0; refusal && i < chain.statements.size(); ++i)
    if (std::holds_alternative<Backward>(chain.statements[i]) && ++backwards == refusal->phase.number) return i;
  return chain.statements.size();
}

ForwardExpected expect_forward(const Chain& chain, const Typed& typed, const std::vector<Value>& implied_roots,
                               std::size_t statements, const Outcome& outcome, std::uint64_t noise) {
  return Run(chain, typed, outcome, statements, noise)(implied_roots);
}

}  // namespace gradsmith
