// Random changes of a chain, for coverage-guided fuzzing: the result is always a valid chain. Knows chains, types, op
// schemas, the generator and the reducer's candidates; no engine, no LibTorch.
#pragma once

#include <span>
#include <string_view>

#include "harness/chain.hpp"
#include "harness/choices.hpp"

namespace gradsmith {

/// One kind of change. `apply` returns false if the chain offers no place for it; what it leaves may be no valid chain.
struct Mutation {
  std::string_view name;
  unsigned weight;
  bool grows;  ///< adds statements; not drawn for long chains
  bool (*apply)(Chain& chain, Choices& choices);
};
/// All kinds, in a fixed order.
std::span<const Mutation> mutations();

/// Chains of more steps are made shorter before they grow again; mutants have no more elements than that in all named
/// tensors together.
inline constexpr int longest_mutant = 10;
inline constexpr std::int64_t most_elements = 2048;
/// `chain` with one part changed, in canonical names and without comments; a chain on large tensors is first put on small
/// ones. Equal choices give equal chains; if no change of the kinds drawn is valid, `chain` itself.
Chain mutate(const Chain& chain, Choices& choices);

/// The same with one input or cast in a floating type that is drawn, or with a cast to one come in; `chain` itself where
/// that is no valid chain.
Chain mutate_types(const Chain& chain, Choices& choices);

}  // namespace gradsmith
