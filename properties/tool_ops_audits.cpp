#include "properties/tool_ops_audits.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <cmath>

#include "harness/difference.hpp"
#include "harness/evidence.hpp"
#include "harness/execute.hpp"
#include "harness/expect.hpp"
#include "harness/layout.hpp"
#include "harness/machine.hpp"
#include "harness/retype.hpp"
#include "harness/values.hpp"

namespace gradsmith {
namespace {

std::string text_of(const Layout& layout) {
  return fmt::format("[{}] strides [{}] offset {}", fmt::join(layout.shape, ", "), fmt::join(layout.strides, ", "),
                     layout.offset);
}

/// A typed chain whose kernels refuse nothing; nothing otherwise.
std::optional<Typed> typed_and_accepted(const Chain& chain) {
  auto typed = type_chain(chain);
  if (!std::holds_alternative<Typed>(typed)) return std::nullopt;
  for (const TypedStep& step : std::get<Typed>(typed).steps)
    if (!step.kernel_refusal.empty()) return std::nullopt;
  return std::get<Typed>(std::move(typed));
}

/// Elements of an input, row-major.
std::vector<double> elements_of(const Input& input) {
  const auto storage = input_storage(input);
  std::vector<double> out;
  for (const auto position : storage_positions(input_layout(input))) out.push_back(storage[position]);
  return out;
}

bool overlaps(const Input& input) {
  auto positions = storage_positions(input_layout(input));
  std::sort(positions.begin(), positions.end());
  return std::adjacent_find(positions.begin(), positions.end()) != positions.end();
}

}  // namespace

Plan only(Witness witness) {
  Plan plan{.witnesses = {}, .guilt = false};
  plan.witnesses[static_cast<std::size_t>(witness)] = true;
  return plan;
}

Complaints audit_layouts(const Op& op) {
  Complaints out;
  for (const OpCase& one : cases_of(op, 400))
    for (const Chain& chain : variants(one)) {
      const auto typed = typed_and_accepted(chain);
      if (!typed) continue;
      const auto real = execute_layouts(chain);
      for (std::size_t value = 0; value < typed->values.size(); ++value) {
        const Layout& said = typed->values[value].layout;
        if (!real[value])
          out.push_back(complaint(fmt::format("LibTorch gives no {}", chain.names[value]), chain));
        else if (*real[value] != said)
          out.push_back(complaint(
              fmt::format("{} is {}, the table says {}", chain.names[value], text_of(*real[value]), text_of(said)),
              chain));
      }
    }
  return out;
}

Complaints audit_aliases(const Op& op) {
  Complaints out;
  for (const OpCase& one : cases_of(op, 200)) {
    const Chain& chain = one.chain;
    const Step& step = one.step();
    const auto typed = typed_and_accepted(chain);
    if (!typed || step.inplace) continue;
    Machine machine(chain.names.size());
    for (const auto& statement : chain.statements)
      if (const auto* input = std::get_if<Input>(&statement)) machine[input->name] = make_input(*input);
    machine.step(step);
    const Args args(step.args);
    const auto say = [&](std::string_view what) { out.push_back(complaint(what, chain)); };
    for (std::size_t k = 0; k < step.results.size(); ++k) {
      if (step.results[k] == dropped) continue;
      const at::Tensor& result = machine[step.results[k]];
      const ResultInfo& info = typed->steps.back().results[k];
      for (std::size_t i = 0; i < args.size(); ++i) {
        if (!args.is_tensor(i)) continue;
        const at::Tensor& operand = machine[args.tensor(i)];
        const bool first = args.tensor(i) == args.tensor(0);
        if (result.is_alias_of(operand) != (first && (info.view || info.same_object)))
          say(fmt::format("is_alias_of operand {} is {}", i, result.is_alias_of(operand)));
        if (result.is_same(operand) != (first && info.same_object))
          say(fmt::format("is_same as operand {} is {}", i, result.is_same(operand)));
      }
      if (info.same_object) continue;
      if (result.is_view() != (info.view && op.alias != Alias::detach)) say("is_view differs");
      if (info.view != (op.alias != Alias::none) && op.name != "flatten") say("alias and shape rule differ");
      if (!info.view) continue;
      // Each cell of the storage gets its number: the view must read those of its layout.
      at::Tensor& operand = machine[args.tensor(0)];
      const auto cells = static_cast<std::int64_t>(operand.storage().nbytes() / operand.element_size());
      operand.as_strided({cells}, {1}, 0).copy_(at::arange(cells));
      const auto positions = storage_positions(info.layout);
      if (read_array(result).data != std::vector<double>(positions.begin(), positions.end())) say("the cells differ");
    }
  }
  return out;
}

Complaints audit_agreement(const Op& op) {
  Complaints out;
  for (const OpCase& one : cases_of(op, 400))
    for (const Chain& chain : variants(one)) {
      const Verdict verdict = judge(chain);
      if (verdict.status == Status::finding)
        out.push_back(complaint(verdict.signature.text() + ": " + headline(verdict), chain));
      else if (verdict.status == Status::discard)
        out.push_back(complaint(verdict.reason, chain));
    }
  return out;
}

Complaints audit_checks(const Op& op) {
  Complaints out;
  if (!op.inplace) return out;
  const auto put = [](OpCase& one, std::size_t i, Argument value) {
    std::get<Step>(one.chain.statements.back()).args[i] = std::move(value);
  };
  for (OpCase one : cases_of(op, 40))
    for (std::size_t i = 0; i < op.params.size(); ++i) {
      const Kind kind = op.params[i].kind;
      if (kind != Kind::number && kind != Kind::text) continue;
      const Argument before = one.step().args[i];
      for (const Argument& value : kind == Kind::text ? std::vector<Argument>{"unknown"} : std::vector<Argument>{0.0, 100.0}) {
        put(one, i, value);
        for (const bool shared : {false, true})
          for (const bool graded : {false, true}) {
            OpCase laid = one;
            auto& target = std::get<Input>(laid.chain.statements[static_cast<std::size_t>(Args(one.step().args).tensor(0))]);
            target.offset = 0;
            target.values = {.kind = Spec::Kind::list, .list = std::vector<double>(static_cast<std::size_t>(element_count(target.shape)), 0.5)};
            target.strides = shared ? std::optional(Shape(target.shape.size(), 0)) : std::nullopt;
            target.requires_grad = graded;
            Step& step = std::get<Step>(laid.chain.statements.back());
            step.inplace = true;
            step.results.clear();
            const Verdict verdict = judge(laid.chain, only(Witness::expectation));
            if (verdict.status == Status::finding) out.push_back(complaint(headline(verdict), laid.chain));
          }
      }
      put(one, i, before);
    }
  return out;
}

Complaints audit_types(const Op& op) {
  Complaints out;
  for (const OpCase& one : cases_of(op, 40))
    for (const Chain& chain : variants(one))
      for (const DType dtype : {DType::f32, DType::bf16, DType::f16}) {
        const Chain narrow = in_type(chain, dtype);
        const Verdict verdict = judge(narrow);
        if (verdict.status == Status::finding)
          out.push_back(complaint(verdict.signature.text() + ": " + headline(verdict), narrow));
      }
  return out;
}

Complaints audit_modes(const Op& op) {
  Complaints out;
  for (const OpCase& one : cases_of(op, 200))
    for (const Chain& chain : variants(one))
      for (const Witness witness : {Witness::forward, Witness::second}) {
        Plan plan = only(witness);
        plan.guilt = true;
        const Verdict verdict = judge(chain, plan);
        if (verdict.status == Status::finding)
          out.push_back(complaint(verdict.signature.text() + ": " + verdict.testimonies[0].reason, chain));
      }
  return out;
}

namespace {

/// Numbers in the corners of a domain and between them.
std::vector<double> corners(const Interval& domain) {
  std::vector<double> out;
  for (const double x :
       {domain.lo, domain.hi, -1.0, 1.0, 0.0, (domain.lo + domain.hi) / 2, domain.apart, -domain.apart, 0.5, -0.5})
    if (x >= domain.lo && x <= domain.hi && std::abs(x) >= domain.apart) out.push_back(x);
  return out;
}

/// The case with every element in a corner of its operand's domain, another one for each `turn`.
Chain cornered(const OpCase& one, Chain chain, std::size_t turn) {
  const Op& op = *one.step().op;
  const Args args(one.step().args);
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (!args.is_tensor(i)) continue;
    auto& input = std::get<Input>(chain.statements[static_cast<std::size_t>(args.tensor(i))]);
    if (!is_floating(input.dtype)) continue;
    const auto values = corners(i < op.domain.size() ? op.domain[i] : Interval{});
    if (values.empty()) continue;
    input.strides.reset();
    input.offset = 0;
    input.values = {.kind = Spec::Kind::list};
    for (std::int64_t e = 0; e < element_count(input.shape); ++e)
      input.values.list.push_back(values[(static_cast<std::size_t>(e) * (i + 1) + turn) % values.size()]);
  }
  return chain;
}

bool repeats_an_operand(const Step& step) {
  std::vector<Value> seen;
  for_each_ref(step, [&](const Value& value) { seen.push_back(value); });
  std::sort(seen.begin(), seen.end());
  return std::adjacent_find(seen.begin(), seen.end()) != seen.end();
}

bool has_empty_input(const Chain& chain) {
  return std::any_of(chain.statements.begin(), chain.statements.end(), [](const Statement& statement) {
    const auto* input = std::get_if<Input>(&statement);
    return input && element_count(input->shape) == 0;
  });
}

}  // namespace

Complaints audit_domain(const Op& op) {
  Complaints out;
  for (const OpCase& one : cases_of(op, 100)) {
    if (repeats_an_operand(one.step())) continue;  // two domains, one input
    const unsigned all = (1u << one.floating.size()) - 1;
    for (const bool inplace : {false, true}) {
      if (inplace ? !op.inplace : !(op.pure || op.pure_many)) continue;
      for (std::size_t turn = 0; turn < 10; turn += 3) {
        const Chain chain = cornered(one, variant(one, inplace, all), turn);
        const auto typed = typed_and_accepted(chain);
        if (!typed || has_empty_input(chain)) continue;  // the mean of nothing is no number
        std::vector<Value> roots;
        if (expect(chain, *typed, &roots).refusal) continue;
        const Outcome outcome = execute(chain, roots);
        const auto finite = [](const std::optional<Array>& array) {
          return !array ||
                 std::all_of(array->data.begin(), array->data.end(), [](double x) { return std::isfinite(x); });
        };
        if (!std::all_of(outcome.values.begin(), outcome.values.end(), finite))
          out.push_back(complaint("a value is not finite", chain));
        if (!std::all_of(outcome.gradients.begin(), outcome.gradients.end(), finite))
          out.push_back(complaint("a gradient is not finite", chain));
      }
    }
  }
  return out;
}

Complaints audit_saves(const Op& op) {
  Complaints out;
  const auto weigh = [&](const Chain& chain) {
    const Verdict verdict = judge(chain, only(Witness::expectation));
    if (verdict.status == Status::finding) out.push_back(complaint(headline(verdict), chain));
  };
  for (const OpCase& one : cases_of(op, 60))
    for (const Chain& chain : variants(one)) {
      if (!typed_and_accepted(chain)) continue;
      weigh(chain);
      weigh(differentiated_twice(chain));
      for (std::size_t value = 0; value < chain.names.size(); ++value) weigh(touched(chain, static_cast<Value>(value)));
    }
  return out;
}

Complaints audit_memory(const Op& op) {
  Complaints out;
  for (const OpCase& one : cases_of(op, 100))
    for (const Chain& chain : variants(one)) {
      const Verdict verdict = judge(chain, only(Witness::memory));
      if (verdict.status == Status::finding && verdict.signature.kind == FindingKind::memory)
        out.push_back(complaint(headline(verdict), chain));
    }
  return out;
}

Complaints audit_batched(const Op& op) {
  Complaints out;
  const std::vector<double> steps = {0, 0.0625, -0.03125};
  for (const OpCase& one : cases_of(op, 200))
    for (const bool inplace : {false, true}) {
      if (inplace ? !op.inplace : !(op.pure || op.pure_many)) continue;
      const Chain chain = variant(one, inplace, (1u << one.floating.size()) - 1);
      if (floating_type(chain) != DType::f64) continue;  // `difference` is asked of float64 alone
      const auto typed = typed_and_accepted(chain);
      std::vector<Value> roots;
      if (!typed || expect(chain, *typed, &roots).refusal) continue;
      Direction direction{std::vector<std::vector<double>>(chain.names.size())};
      for (const std::size_t i : one.floating) {
        const auto& input = std::get<Input>(chain.statements[i]);
        if (overlaps(input)) continue;
        for (std::int64_t e = 0; e < element_count(input.shape); ++e)
          direction.along[input.name].push_back(static_cast<double>(e % 3 + 1) / 4);
      }
      const BatchedForward batched = forward_along(chain, *typed, roots, {}, direction, steps);
      if (!batched.failure.empty()) {
        out.push_back(complaint(batched.failure, chain));
        continue;
      }
      for (std::size_t p = 0; p < steps.size(); ++p) {
        Chain moved = chain;
        for (const std::size_t i : one.floating) {
          auto& input = std::get<Input>(moved.statements[i]);
          auto elements = elements_of(input);
          const auto& along = direction.along[input.name];
          for (std::size_t e = 0; e < along.size(); ++e) elements[e] += steps[p] * along[e];
          input.values = {.kind = Spec::Kind::list, .list = std::move(elements)};
        }
        const Outcome outcome = execute(moved, {});
        const auto weights = seeds(Spec{}, roots, *typed);
        double f = 0, scale = 0;
        for (std::size_t r = 0; r < roots.size(); ++r)
          for (std::size_t e = 0; e < weights[r].size(); ++e) {
            const double term = weights[r][e] * outcome.values[roots[r]]->data[e];
            f += term;
            scale += std::abs(term);
          }
        if (!std::isfinite(f)) continue;  // the step left the domain
        if (!(std::abs(f - batched.values[p]) <= 1e-12 * scale + 1e-300))
          out.push_back(complaint(fmt::format("point {} is {:.17g}, alone {:.17g}", p, batched.values[p], f), moved));
      }
    }
  return out;
}

}  // namespace gradsmith
