// What a chain must give in forward mode: tangents and <w, J d> by the reference's tape, with the spread of its replicas, or
// a refusal, or a known hole. Knows chains, types and the reference; no LibTorch.
#pragma once

#include "harness/forward.hpp"

namespace gradsmith {

/// What must come of a chain in forward mode.
struct ForwardExpected {
  std::string open{};  ///< why its numbers cannot be judged; empty: they can
  std::string hole{};  ///< "U21": LibTorch is silently wrong
  std::optional<Refusal> refusal{};
  Tangents along{};                               ///< of the leaves: what forward mode starts from
  std::vector<std::optional<Spread>> tangents{};  ///< by Value, at the end
  Spread product{};                               ///< of <w, J d>
};

/// Widens the spreads of `into` by those of `more`, of the same chain by other noise; open where one of them is.
void widen(ForwardExpected& into, const ForwardExpected& more);

/// How many statements forward mode runs: those before the `backward` that is refused; all of them where none is, or the
/// implied one.
std::size_t forward_statements(const Chain& chain, const std::optional<Refusal>& refusal);

/// Runs the first `statements` statements; arguments as for `execute_forward`. `noise` chooses the replicas.
ForwardExpected expect_forward(const Chain& chain, const Typed& typed, const std::vector<Value>& implied_roots,
                               std::size_t statements, const Outcome& outcome, std::uint64_t noise);

}  // namespace gradsmith
