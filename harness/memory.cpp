#include "harness/memory.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/excerpt.hpp"
#include "harness/execute.hpp"
#include "harness/footprint.hpp"
#include "harness/guilt.hpp"
#include "harness/reference.hpp"

namespace gradsmith {
namespace {

void disagree(Testimony& out, FindingKind kind, const Step* step, std::string_view detail, std::int64_t observed,
              std::int64_t expected) {
  out.opinion = Opinion::disagree;
  out.kind = kind;
  out.observed = static_cast<double>(observed);
  out.expected = static_cast<double>(expected);
  if (step) out.guilty = form_of(*step);
  out.detail = detail;
}

/// The first step that departs.
bool weigh_steps(Testimony& out, const Chain& chain, const Typed& typed, const std::vector<Kept>& kept,
                 const Cost& cost) {
  for (std::size_t i = 0; i < cost.steps.size() && i < kept.size(); ++i) {
    const StepCost& seen = cost.steps[i];
    if (!seen.measured) continue;
    const Step& step = std::get<Step>(chain.statements[i]);
    const auto wanted = footprint(step, typed.steps[i], kept[i]);
    if (!wanted || (seen.live == wanted->live && seen.peak == wanted->peak)) continue;
    const bool live = seen.live != wanted->live;
    const std::int64_t observed = live ? seen.live : seen.peak, expected = live ? wanted->live : wanted->peak;
    disagree(out, FindingKind::memory, &step, live ? "kept" : "scratch", observed, expected);
    out.name = fmt::format("step {}", number_of_step(chain, i));
    out.reason = fmt::format("{} {} {} bytes, must be {}", out.name, live ? "leaves behind" : "needs at its highest",
                             observed, expected);
    return true;
  }
  return false;
}

bool backward_may_fail(const Chain& chain) {
  return std::any_of(chain.statements.begin(), chain.statements.end(), [](const Statement& statement) {
    const auto* backward = std::get_if<Backward>(&statement);
    return backward && backward->may_fail;
  });
}

/// The leak needs a graph: a cycle of nodes and of the tensors that they keep. It is gone where nothing requires grad.
bool is_cycle(const Chain& chain) {
  Chain plain = chain;
  for (Statement& statement : plain.statements) {
    if (auto* input = std::get_if<Input>(&statement)) input->requires_grad = false;
    const auto* backward = std::get_if<Backward>(&statement);
    if (backward && !backward->results.empty()) return true;  // its results would be missing
  }
  std::erase_if(plain.statements, [](const Statement& one) { return std::holds_alternative<Backward>(one); });
  return execute_cost(plain).leaked == 0;
}

/// The last step with which a leak begins: the chain up to it leaks, the chain before it does not.
const Step* leaking_step(const Chain& chain) {
  const Step* found = nullptr;
  bool leaks = false;
  for (std::size_t i = 0; i < chain.statements.size(); ++i) {
    const bool now = execute_cost(beginning(chain, i)).leaked != 0;
    if (const auto* step = std::get_if<Step>(&chain.statements[i]); step && now && !leaks) found = step;
    leaks = now;
  }
  return found;
}

}  // namespace

Testimony memory_witness(const Chain& chain, const Typed& typed, const std::vector<Kept>& kept,
                         const Outcome& outcome) {
  Testimony out{.witness = Witness::memory};
  if (floating_type(chain) != DType::f64) {
    out.reason = "float64 only";
    return out;
  }
  out.opinion = Opinion::agree;
  if (weigh_steps(out, chain, typed, kept, outcome.cost) || outcome.cost.leaked == 0) return out;
  const bool failed = outcome.refusal && outcome.refusal->phase.kind == Phase::Kind::backward;
  if (failed || backward_may_fail(chain)) return out;
  const bool cycle = is_cycle(chain);
  disagree(out, FindingKind::leak, cycle ? nullptr : leaking_step(chain), cycle ? "cycle" : "storage",
           outcome.cost.leaked, 0);
  if (cycle) out.guilty = "autograd";  // which of the steps closes it is chance
  out.reason = fmt::format("{} bytes are still alive when all names of the chain are gone", outcome.cost.leaked);
  return out;
}

}  // namespace gradsmith
