#include "harness/memory.hpp"

#include <fmt/format.h>

#include "harness/excerpt.hpp"
#include "harness/footprint.hpp"
#include "harness/guilt.hpp"
#include "harness/reference.hpp"

namespace gradsmith {
namespace {

/// Looks for the first step that departs.
void weigh_steps(Testimony& out, const Chain& chain, const Typed& typed, const std::vector<Retained>& kept,
                 const Cost& cost) {
  for (std::size_t i = 0; i < cost.steps.size() && i < kept.size(); ++i) {
    const StepCost& seen = cost.steps[i];
    if (!seen.measured) continue;
    const Step& step = std::get<Step>(chain.statements[i]);
    const auto wanted = footprint(step, typed.steps[i], kept[i]);
    if (!wanted || (seen.live == wanted->live && seen.peak == wanted->peak)) continue;
    const bool live = seen.live != wanted->live;
    const std::int64_t observed = live ? seen.live : seen.peak, expected = live ? wanted->live : wanted->peak;
    out.opinion = Opinion::disagree;
    out.kind = FindingKind::memory;
    out.observed = static_cast<double>(observed);
    out.expected = static_cast<double>(expected);
    out.guilty = form_of(step);
    out.detail = live ? "kept" : "scratch";
    out.name = fmt::format("step {}", number_of_step(chain, i));
    out.reason = fmt::format("{} {} {} bytes, must be {}", out.name, live ? "leaves behind" : "needs at its highest",
                             observed, expected);
    return;
  }
}

}  // namespace

Testimony memory_witness(const Chain& chain, const Typed& typed, const std::vector<Retained>& kept,
                         const Outcome& outcome) {
  Testimony out{.witness = Witness::memory};
  if (floating_type(chain) != DType::f64) {
    out.reason = "float64 only";
    return out;
  }
  out.opinion = Opinion::agree;
  weigh_steps(out, chain, typed, kept, outcome.cost);
  return out;
}

}  // namespace gradsmith
