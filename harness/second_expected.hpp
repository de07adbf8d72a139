// What a second backward must give: first and second derivatives of the leaves by the tape on dual numbers, with the spread
// of its replicas, or E23 by the model. Knows chains, types and the reference; no LibTorch.
#pragma once

#include "harness/second.hpp"

namespace gradsmith {

/// First and second derivatives by Value, with the spread of the replicas.
struct SecondExpected {
  std::string open{};  ///< why they cannot be judged; empty: they can
  std::vector<std::optional<Spread>> first{}, second{};
};

/// A direction over all leaves, by position.
Tangents second_direction(const Chain& chain);
/// One pass over the chain on duals, which gives one replica; `noise` chooses it.
SecondExpected expect_second(const Chain& chain, const Typed& typed, const std::vector<Value>& implied_roots,
                             std::uint64_t noise, const Tangents& along);
/// Widens the spreads by those of another pass.
void widen(SecondExpected& into, const SecondExpected& more);
/// E23 of the second backward, by the model.
std::optional<Refusal> expect_second_refusal(const Chain& chain, const Typed& typed);

}  // namespace gradsmith
