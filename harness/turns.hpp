// Which programs the witnesses are asked of that run a chain once more in a mode of its own (`forward`, `second`),
// where nobody named witnesses: a share of all, so that what they add stays a small part of the cost. Told by the
// chain, so that every process asks alike. Knows chains and witnesses' names.
#pragma once

#include <array>

#include "harness/chain.hpp"
#include "harness/witness.hpp"

namespace gradsmith {

/// Sets whether `forward` (one chain in 8) and `second` (another in 16) are asked of this chain; leaves the others
/// alone.
void ask_in_turn(std::array<bool, witness_count>& witnesses, const Chain& chain);

}  // namespace gradsmith
