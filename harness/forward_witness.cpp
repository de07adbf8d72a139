// What forward mode must give, from the reference's tape, and how far LibTorch departs from it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "harness/compare.hpp"
#include "harness/forward.hpp"
#include "harness/layout.hpp"
#include "harness/values.hpp"
#include "harness/weigh.hpp"

namespace gradsmith {
namespace {

constexpr std::uint64_t tangent_stream = 2000;  // streams below are those of inputs, roots and directions

/// What must come of a chain in forward mode.
struct Expected {
  std::string open{};  ///< why its numbers cannot be judged; empty: they can
  std::string hole{};  ///< "U21": LibTorch is silently wrong
  std::optional<Refusal> refusal{};
  Tangents along{};
  std::vector<std::optional<Spread>> tangents{};  ///< by Value, at the end
  Spread product{};                               ///< of <w, J d>
};

/// A random tangent for each leaf; which one follows from the chain, so that campaigns see many.
Tangents tangents_for(const Chain& chain, std::size_t statements) {
  Tangents along(chain.names.size());
  const std::uint64_t number = Tape::active().signature() ^ (Tape::active().size() * 0x9e3779b97f4a7c15u);
  for (std::size_t i = 0; i < statements; ++i) {
    const auto* input = std::get_if<Input>(&chain.statements[i]);
    if (!input || !input->requires_grad) continue;
    const auto positions = storage_positions(input_layout(*input));
    const std::int64_t cells = positions.empty() ? 0 : *std::max_element(positions.begin(), positions.end()) + 1;
    const Spec spec{.kind = Spec::Kind::normal, .seed = number & 0xffff};
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
    if (row.reads <= 0 || (row.when && !row.when(args)) || !args.is_tensor(row.reads)) return false;
    const TensorInfo &target = typed.operands[0], &operand = typed.operands[row.reads];
    return target.storage == operand.storage && shares_cells(target.layout, operand.layout);
  });
}

/// What a step on tensors with tangents must raise; empty if nothing.
std::string_view refusal_of(const Step& step, const TypedStep& typed) {
  const Args args(step.args);
  if (step.op->forward_refusal)
    if (const auto id = step.op->forward_refusal(args, step.inplace); !id.empty()) return id;
  if (step.op->backward_refusal)  // E21, E22: the same formula, which forward mode needs at once
    if (const auto id = step.op->backward_refusal(args, step.inplace); !id.empty() && id != "E23") return id;
  // The tangent is written too, in the layout of its tensor, and with a kernel that checks (fills only clear it).
  const bool unchecked = step.inplace && step.op->overlap_unchecked && !step.op->functional;
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

  Expected operator()(const std::vector<Value>& implied_roots) {
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
    bool dual = false;
    for (std::size_t i = 0; i < args.size(); ++i)
      dual |= args.is_tensor(i) && step.op->params[i].differentiable && evaluator_.tracks(args.tensor(i));
    if (!dual) return;
    if (const auto id = refusal_of(step, typed); !id.empty())
      out_.refusal = Refusal{{Phase::Kind::step, steps_}, std::string(id), {}};
    else if (step.inplace && reads_what_it_wrote(step, typed))
      out_.hole = "U21";
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
      for (std::size_t e = 0; e < elements.size(); ++e)  // there is no slope at infinity
        if (!std::isfinite(elements[e].exact())) spread.spread[e] = NAN;
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
  Expected out_{};
  std::vector<Value> defined_{}, leaves_{};
  std::vector<std::pair<double, int>> terms_{};  // cotangent and node
  std::vector<int> constants_{};                 // storages of gradients with names
  std::vector<char> regions_{};
  int inference_ = 0, steps_ = 0;
};

void widen(std::vector<std::optional<Spread>>& into, const std::vector<std::optional<Spread>>& from) {
  for (std::size_t v = 0; v < into.size(); ++v)
    if (into[v] && from[v])
      for (std::size_t e = 0; e < into[v]->spread.size(); ++e)
        if (double& spread = into[v]->spread[e]; !std::isnan(spread) && !(from[v]->spread[e] <= spread))
          spread = from[v]->spread[e];
}

/// The worst departure of any tensor.
Testimony weigh(const Chain& chain, const std::vector<std::optional<Array>>& observed,
                const std::vector<std::optional<Spread>>& expected, std::string_view what) {
  return weigh_derivatives(Witness::forward, FindingKind::forward_mode, chain, observed, expected, what);
}

/// Values are computed as without tangents.
std::optional<Testimony> moved_value(const Chain& chain, const ForwardRun& run, const Outcome& outcome) {
  for (std::size_t v = 0; v < run.values.size(); ++v) {
    if (!run.values[v] || v >= outcome.values.size() || !outcome.values[v]) continue;
    const auto &here = run.values[v]->data, &plain = outcome.values[v]->data;
    const auto at = first_bit_difference(here, plain);
    if (at < 0) continue;
    Testimony out{.witness = Witness::forward, .opinion = Opinion::disagree, .kind = FindingKind::forward_mode};
    out.name = fmt::format("{}[{}]", chain.names[v], at);
    out.observed = here[at];
    out.expected = plain[at];
    out.ratio = INFINITY;
    out.reason =
        fmt::format("value {} is {:.17g} in forward mode, {:.17g} without", out.name, out.observed, out.expected);
    return out;
  }
  return std::nullopt;
}

/// <w, J d> of forward mode against <J^T w, d> of reverse mode, where both differentiate the same function: without
/// regions and where all gradients accumulate. Nothing if they agree, or if that cannot be said.
std::optional<Testimony> parted_modes(const Chain& chain, const ForwardRun& run, const Expected& expected,
                                      const Outcome& outcome, const Reference& reference) {
  for (const Statement& statement : chain.statements) {
    if (std::holds_alternative<RegionBegin>(statement)) return std::nullopt;
    if (const auto* backward = std::get_if<Backward>(&statement); backward && backward->wrt) return std::nullopt;
  }
  if (outcome.refusal || reference.nan || !reference.open.empty()) return std::nullopt;
  long double product = 0;
  double tolerance = expected.product.spread[0], size = std::abs(run.product);
  for (std::size_t leaf = 0; leaf < reference.gradients.size(); ++leaf) {
    if (!reference.gradients[leaf]) continue;
    if (const auto& gradient = outcome.gradients[leaf];  // reverse mode itself is wrong: for `reference` to say
        gradient &&
        !(compare(gradient->data, *reference.gradients[leaf], unit_roundoff(DType::f64)).ratio <= Tolerance{}.k))
      return std::nullopt;
    for (std::size_t e = 0; e < expected.along[leaf].size(); ++e) {
      const double d = expected.along[leaf][e], g = outcome.gradients[leaf] ? outcome.gradients[leaf]->data[e] : 0;
      product += static_cast<long double>(g) * d;
      size += std::abs(g * d);
      tolerance += reference.gradients[leaf]->spread[e] * std::abs(d);
    }
  }
  const double u = unit_roundoff(DType::f64), reverse = static_cast<double>(product);
  const double unit = tolerance + Tolerance{}.relative_floor * u * size;
  const double ratio = run.product == reverse ? 0 : std::abs(run.product - reverse) / unit;
  if (ratio <= Tolerance{}.k || !std::isfinite(unit)) return std::nullopt;
  if (std::max(std::abs(run.product), std::abs(reverse)) < underflowing) return std::nullopt;
  Testimony out{.witness = Witness::forward, .opinion = Opinion::disagree, .kind = FindingKind::forward_mode};
  out.name = "<w, J d>";
  out.observed = run.product;
  out.expected = reverse;
  out.ratio = ratio;
  out.reason =
      fmt::format("<w, J d> is {:.17g} by forward mode, <J^T w, d> is {:.17g} by reverse mode", run.product, reverse);
  return out;
}

std::string error_word(const std::optional<Refusal>& refusal) { return refusal ? refusal->id + "-step" : "none"; }

/// Forward mode refused if and only if it must, the right op with the right error; nothing if so.
std::optional<Testimony> wrong_refusal(const std::optional<Refusal>& want, const std::optional<Refusal>& got) {
  if (!want && !got) return std::nullopt;
  if (want && got && want->id == got->id && want->phase == got->phase) return std::nullopt;
  const auto words = [](const std::optional<Refusal>& r) {
    return r ? fmt::format("{} at {}", r->id, phase_name(r->phase)) : std::string("no error");
  };
  return Testimony{.witness = Witness::forward,
                   .opinion = Opinion::disagree,
                   .kind = FindingKind::forward_mode,
                   .reason = fmt::format("in forward mode: expected {}, saw {}{}", words(want), words(got),
                                         got ? ": " + got->message.substr(0, got->message.find('\n')) : ""),
                   .errors = error_word(want) + "-" + error_word(got)};
}

/// Statements that come before the refused `backward`; all of them if nothing is refused, or the implied one.
std::size_t statements_before(const Chain& chain, const std::optional<Refusal>& refusal) {
  int backwards = 0;
  for (std::size_t i = 0; refusal && i < chain.statements.size(); ++i)
    if (std::holds_alternative<Backward>(chain.statements[i]) && ++backwards == refusal->phase.number) return i;
  return chain.statements.size();
}

}  // namespace

Testimony forward_witness(const Chain& chain, const Typed& typed, const std::vector<Value>& implied_roots,
                          const Outcome& outcome, const Reference* reference) {
  Testimony out{.witness = Witness::forward, .kind = FindingKind::forward_mode};
  const auto says = [&](Opinion opinion, std::string reason) {
    out.opinion = opinion;
    out.reason = std::move(reason);
    return out;
  };
  const std::size_t statements = statements_before(chain, outcome.refusal);
  const std::vector<Value> roots = outcome.refusal ? std::vector<Value>{} : implied_roots;
  if (outcome.refusal)
    for (std::size_t i = 0; i < statements; ++i)
      if (const auto* backward = std::get_if<Backward>(&chain.statements[i]); backward && !backward->results.empty())
        return says(Opinion::skipped, "refused after a gradient with a name");  // what it was is not on record
  const auto expect = [&](std::uint64_t noise) { return Run(chain, typed, outcome, statements, noise)(roots); };
  Expected expected = expect(0);
  if (std::all_of(expected.along.begin(), expected.along.end(), [](const auto& d) { return d.empty(); }))
    return says(Opinion::skipped, "no leaf requires grad");
  if (!expected.hole.empty()) return says(Opinion::skipped, "known hole " + expected.hole);
  if (!expected.open.empty() && !expected.refusal) return says(Opinion::inconclusive, expected.open);
  const ForwardRun run = execute_forward(chain, typed, roots, statements, outcome, expected.along);
  if (auto wrong = wrong_refusal(expected.refusal, run.refusal)) return *wrong;
  if (run.refusal) return says(Opinion::agree, fmt::format("refused as it must be: {}", run.refusal->id));
  if (auto moved = moved_value(chain, run, outcome)) return *moved;
  const Tolerance tolerance;
  out = weigh(chain, run.tangents, expected.tangents, "tangent");
  if (!(out.ratio <= tolerance.k)) {
    for (int i = 1; i <= tolerance.more_replicas; ++i) {
      const Expected more = expect(static_cast<std::uint64_t>(i));
      if (!more.open.empty()) return says(Opinion::inconclusive, more.open);
      widen(expected.tangents, more.tangents);
    }
    out = weigh(chain, run.tangents, expected.tangents, "tangent");
  }
  if (!(out.ratio <= tolerance.k))
    return says(Opinion::disagree,
                fmt::format("{} is {:.17g}, the reference says {:.17g} ({:.3g} times what rounding can do)", out.name,
                            out.observed, out.expected, out.ratio));
  if (reference)
    if (auto parted = parted_modes(chain, run, expected, outcome, *reference)) return *parted;
  return out;
}

}  // namespace gradsmith
