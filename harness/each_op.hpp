// Each op of a chain by itself, on the very numbers that LibTorch gave it. In 16-bit types the rounding of a whole chain
// hides much: what one op may do to given numbers is a few ulp (numerics.md 4.3). A part of the witness `reference`.
// Knows the executor's interface and the reference; no LibTorch.
#pragma once

#include "harness/compare.hpp"
#include "harness/typing.hpp"
#include "harness/witness.hpp"

namespace gradsmith {

/// The chain has tensors of a floating type of 16 bits.
bool in_16_bits(const Chain& chain);

/// Adds to the reference's testimony on a chain with 16-bit tensors that nothing refused: where some step, in what it
/// computes of these, forward or backward, is further from its maths than one op may be (`one_op`, `one_backward` in
/// compare.hpp), it becomes a disagreement, whatever it was. Steps that share memory with their operand compute nothing
/// and are passed over, and so are those whose maths is left open.
void hear_each_op(Testimony& testimony, const Chain& chain, const Typed& typed);

/// What the values or the gradients of a chain have to keep to: of one op of a 16-bit type alone (on a clone, where it
/// writes) `one_op` or `one_backward`.
Tolerance tolerance_for(const Chain& chain, bool gradients);

}  // namespace gradsmith
