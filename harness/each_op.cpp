#include "harness/each_op.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/execute.hpp"
#include "harness/expect.hpp"
#include "harness/probe.hpp"
#include "harness/weigh.hpp"

namespace gradsmith {
namespace {

/// Of tensors, those of 16 bits alone: nothing is said of others.
void leave_16_bits(std::vector<std::optional<Spread>>& tensors) {
  for (auto& tensor : tensors)
    if (tensor && !(roundoff_of(*tensor) > unit_roundoff(DType::f32))) tensor.reset();
}

/// What one step alone departs by; its opinion is to agree where that can be rounding.
Testimony alone_testimony(const Chain& alone) {
  Testimony out{.witness = Witness::reference, .opinion = Opinion::agree};
  const auto result = type_chain(alone);
  const auto* typed = std::get_if<Typed>(&result);
  if (!typed) return out;  // a gradient with a name may hold what no input can
  std::vector<Value> roots;
  const Expectation expectation = expect(alone, *typed, &roots);
  const Outcome outcome = execute(alone, roots);
  if (expectation.refusal || expectation.hole || outcome.refusal) return out;
  Reference reference = run_reference(alone, *typed, roots);
  leave_16_bits(reference.values);
  leave_16_bits(reference.gradients);
  for (int i = 1; reference.open.empty(); ++i) {
    Testimony values, gradients;
    weigh(values, alone, outcome.values, reference.values, one_op);
    if (!reference.nan) weigh(gradients, alone, outcome.gradients, reference.gradients, one_backward, Missing::is_zero);
    const bool value = !(values.ratio <= one_op.k);
    if (!value && gradients.ratio <= one_backward.k) return out;
    if (i > one_op.more_replicas) {
      out = value ? values : gradients;
      out.witness = Witness::reference;
      out.opinion = Opinion::disagree;
      out.kind = value ? FindingKind::wrong_value : FindingKind::wrong_gradient;
      return out;
    }
    widen(reference, run_reference(alone, *typed, roots, static_cast<std::uint64_t>(i)));
  }
  return out;
}

}  // namespace

bool in_16_bits(const Chain& chain) { return unit_roundoff(floating_type(chain)) > unit_roundoff(DType::f32); }

Tolerance tolerance_for(const Chain& chain, bool gradients) {
  const auto ops = std::count_if(chain.statements.begin(), chain.statements.end(), [](const Statement& statement) {
    const auto* step = std::get_if<Step>(&statement);
    return step && step->op->alias == Alias::none && step->op->name != "clone";
  });
  if (!in_16_bits(chain) || types_of(chain).size() > 1 || ops != 1 || has_backward(chain)) return {};
  return gradients ? one_backward : one_op;
}

void hear_each_op(Testimony& testimony, const Chain& chain, const Typed& typed) {
  if (testimony.opinion == Opinion::disagree || !in_16_bits(chain)) return;
  const auto operands = execute_operands(chain);
  int number = 0;
  for (std::size_t i = 0; i < chain.statements.size(); ++i) {
    const auto* step = std::get_if<Step>(&chain.statements[i]);
    if (!step) continue;
    ++number;
    if (step->op->alias != Alias::none || operands[i].empty()) continue;
    const auto alone = isolate(chain, typed, i, [&](Value value) { return operands[i].at(value); });
    if (!alone) continue;
    Testimony worst = alone_testimony(*alone);
    if (worst.opinion == Opinion::agree) continue;
    worst.reason = fmt::format("{} {} of step {} by itself, {}{}, is {:.17g}, the reference says {:.17g} ({:.3g} times what one op may do)",
                               worst.kind == FindingKind::wrong_value ? "value" : "gradient", worst.name, number,
                               step->op->name, step->inplace ? "_" : "", worst.observed, worst.expected, worst.ratio);
    testimony = std::move(worst);
    return;
  }
}

}  // namespace gradsmith
