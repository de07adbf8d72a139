// How far LibTorch's second backward departs from what it must give.
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "harness/compare.hpp"
#include "harness/execute.hpp"
#include "harness/second_expected.hpp"
#include "harness/values.hpp"
#include "harness/weigh.hpp"
#include "harness/wrong_refusal.hpp"

namespace gradsmith {
namespace {

/// The worst departure of any leaf.
Testimony weigh(const Chain& chain, const std::vector<std::optional<Array>>& observed,
                const std::vector<std::optional<Spread>>& expected, std::string_view what) {
  return weigh_derivatives(Witness::second, FindingKind::second_order, chain, observed, expected, what);
}

/// Slope of LibTorch's own first gradient along the direction, at the element that departs most; nothing where
/// positions of a leaf share cells (they cannot be moved apart) or a moved chain is refused.
std::optional<double> slope_of_gradient(const Chain& chain, const std::vector<Value>& roots, const Tangents& along,
                                        std::string_view element) {
  constexpr double step = 1e-5;
  std::array<double, 2> at{};
  for (const int side : {0, 1}) {
    Chain moved = chain;
    for (Statement& statement : moved.statements) {
      auto* input = std::get_if<Input>(&statement);
      if (!input || !input->requires_grad) continue;
      const auto storage = input_storage(*input);
      const auto positions = storage_positions(input_layout(*input));
      if (storage.size() < positions.size()) return std::nullopt;
      Spec list{.kind = Spec::Kind::list};
      for (std::size_t e = 0; e < positions.size(); ++e)
        list.list.push_back(storage[positions[e]] + (side ? -step : step) * along[input->name][e]);
      input->values = std::move(list);
    }
    const Outcome outcome = execute(moved, roots);
    if (outcome.refusal) return std::nullopt;
    for (std::size_t v = 0; v < outcome.gradients.size(); ++v)
      if (outcome.gradients[v])
        for (std::size_t e = 0; e < outcome.gradients[v]->data.size(); ++e)
          if (element == fmt::format("second {}[{}]", chain.names[v], e)) at[side] = outcome.gradients[v]->data[e];
  }
  return (at[0] - at[1]) / (2 * step);
}

std::string error_word(const std::optional<Refusal>& r) {
  return r ? fmt::format("{}-{}", r->id,
                         r->phase.kind == Phase::Kind::step ? "step"
                         : r->phase.number == 1             ? "first"
                                                            : "second")
           : "none";
}

}  // namespace

Testimony second_witness(const Chain& chain, const Typed& typed, const std::vector<Value>& implied_roots,
                         const Outcome& outcome) {
  Testimony out{.witness = Witness::second, .kind = FindingKind::second_order};
  const auto says = [&](Opinion opinion, std::string reason) {
    out.opinion = opinion;
    out.reason = std::move(reason);
    return out;
  };
  if (has_backward(chain)) return says(Opinion::skipped, "a backward of its own");
  if (implied_roots.empty()) return says(Opinion::skipped, "no gradient of leaves");
  const Tangents along = second_direction(chain);
  const SecondRun run = execute_second(chain, implied_roots, along);
  const auto refusal = expect_second_refusal(chain, typed);
  // The history of an empty view, where it is made anew, hands on zeros whatever arrives: no path that the model
  // follows.
  const bool empty = std::any_of(typed.values.begin(), typed.values.end(),
                                 [](const TensorInfo& t) { return element_count(t.layout.shape) == 0; });
  if (refusal && !run.refusal && empty)
    return says(Opinion::inconclusive, "an empty tensor may cut what cannot be differentiated");
  if (auto wrong = wrong_refusal(Witness::second, FindingKind::second_order, "differentiated twice",
                                 refusal, run.refusal, error_word))
    return *wrong;
  if (run.refusal) return says(Opinion::agree, fmt::format("refused as it must be: {}", run.refusal->id));
  const auto pass = [&](int number) {
    return expect_second(chain, typed, implied_roots, static_cast<std::uint64_t>(number), along);
  };
  const Tolerance tolerance;
  SecondExpected expected = pass(0);
  int replicas = 1;
  for (; replicas < 3 && expected.open.empty(); ++replicas) widen(expected, pass(replicas));
  const auto worst = [&] {
    const Testimony first = weigh(chain, run.first, expected.first, "first"),
                    second = weigh(chain, run.second, expected.second, "second");
    return first.ratio > second.ratio ? first : second;
  };
  if (expected.open.empty() && !(worst().ratio <= tolerance.k))
    for (; replicas < 3 * (1 + tolerance.more_replicas) && expected.open.empty(); ++replicas)
      widen(expected, pass(replicas));
  if (!expected.open.empty()) return says(Opinion::inconclusive, expected.open);
  if (!(weigh(chain, outcome.gradients, expected.first, "first").ratio <= tolerance.k))
    return says(Opinion::inconclusive, "the first gradient departs already");  // for `reference` to say
  out = worst();
  if (out.ratio <= tolerance.k) return out;
  const auto slope = slope_of_gradient(chain, implied_roots, along, out.name);
  return says(Opinion::disagree,
              fmt::format("{} derivative is {:.17g}, the reference says {:.17g} ({:.3g} times what rounding can do){}",
                          out.name, out.observed, out.expected, out.ratio,
                          slope ? fmt::format(", differences of the gradient {:.7g}", *slope) : ""));
}

}  // namespace gradsmith
