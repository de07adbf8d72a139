#include "harness/timing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>

#include "harness/excerpt.hpp"
#include "harness/execute.hpp"
#include "harness/guilt.hpp"

namespace gradsmith {
namespace {

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

/// Nanoseconds of one statement, in one run.
std::int64_t time_of(const Chain& chain, std::size_t statement) {
  const StepCost seen = execute_cost(chain).steps[statement];
  return seen.measured ? seen.nanoseconds : never;
}

/// The step alone, in each form that it has with a result of the same shape.
std::vector<Chain> plain_forms(const Step& step, const TypedStep& typed, bool recorded) {
  std::vector<Chain> out;
  const bool same_shape = step.inplace || (typed.results.size() == 1 && !typed.results[0].view &&
                                           typed.results[0].layout.shape == typed.operands[0].layout.shape);
  if (step.op->pure || step.op->pure_many) out.push_back(plain_step(step, typed, false, recorded));
  if (step.op->inplace && same_shape) out.push_back(plain_step(step, typed, true, recorded));
  return out;
}

/// Shortest time of an op in either form, with and without a node: at its first sight that of its plain forms, later that
/// of any step. Only tells where to look closer.
std::int64_t& shortest(const Step& step, const TypedStep& typed, bool recorded) {
  static std::map<std::pair<const Op*, bool>, std::int64_t> table;
  const auto [at, first] = table.try_emplace({step.op, recorded}, never);
  constexpr int runs = 5;
  if (first)
    for (const Chain& form : plain_forms(step, typed, recorded))
      for (int run = 0; run < runs; ++run)
        at->second = std::min(at->second, time_of(form, form.statements.size() - 1));
  return at->second;
}

struct Times {
  std::int64_t here = never, alone = never;
  bool slow() const {
    return alone != never && static_cast<double>(here) >= Slowness{}.factor * static_cast<double>(alone);
  }
};

/// Both sides in turns, until the step is cleared or has had its repeats.
Times compare_times(const Chain& chain, const Typed& typed, std::size_t statement, bool recorded) {
  const Step& step = std::get<Step>(chain.statements[statement]);
  const Chain here = beginning(chain, statement);
  const std::vector<Chain> alone = plain_forms(step, typed.steps[statement], recorded);
  Times times;
  for (int repeat = 0; repeat < Slowness{}.repeats; ++repeat) {
    times.here = std::min(times.here, time_of(here, statement));
    for (const Chain& form : alone) times.alone = std::min(times.alone, time_of(form, form.statements.size() - 1));
    if (!times.slow()) break;
  }
  return times;
}

/// Steps that took far longer than the shortest of their op.
std::vector<std::size_t> slow_steps(const Chain& chain, const Typed& typed, const std::vector<Retained>& kept,
                                    const Cost& cost) {
  std::vector<std::size_t> slow;
  for (std::size_t i = 0; i < cost.steps.size() && i < kept.size(); ++i) {
    if (!cost.steps[i].measured) continue;
    std::int64_t& usual = shortest(std::get<Step>(chain.statements[i]), typed.steps[i], kept[i].recorded);
    const std::int64_t seen = cost.steps[i].nanoseconds;
    if (static_cast<double>(seen) >= Slowness{}.factor * static_cast<double>(usual)) slow.push_back(i);
    usual = std::min(usual, seen);
  }
  return slow;
}

bool has_large_tensor(const Typed& typed) {
  return std::any_of(typed.values.begin(), typed.values.end(), [](const TensorInfo& info) {
    return element_count(info.layout.shape) > Slowness{}.most_elements;
  });
}

}  // namespace

Testimony time_witness(const Chain& chain, const Typed& typed, const std::vector<Retained>& kept, const Outcome& outcome) {
  Testimony out{.witness = Witness::time};
  if (outcome.refusal) {
    out.reason = "refused";
    return out;
  }
  if (has_large_tensor(typed)) {
    out.reason = "large tensors";
    return out;
  }
  out.opinion = Opinion::agree;
  std::vector<std::size_t> suspects = slow_steps(chain, typed, kept, outcome.cost);
  if (suspects.empty()) return out;
  // A first run is slow in many places: caches are cold, and other processes want the core.
  suspects = slow_steps(chain, typed, kept, execute_cost(beginning(chain, suspects.back())));
  for (const std::size_t i : suspects) {
    const Times times = compare_times(chain, typed, i, kept[i].recorded);
    if (!times.slow()) continue;
    out.opinion = Opinion::disagree;
    out.kind = FindingKind::time;
    out.name = fmt::format("step {}", number_of_step(chain, i));
    out.observed = static_cast<double>(times.here);
    out.expected = static_cast<double>(times.alone);
    out.reason = fmt::format("{} takes {} ns, {} ns alone on plain operands: the shortest of {} runs of each", out.name,
                             times.here, times.alone, Slowness{}.repeats);
    out.guilty = form_of(std::get<Step>(chain.statements[i]));
    out.detail = "slow";
    break;
  }
  return out;
}

}  // namespace gradsmith
