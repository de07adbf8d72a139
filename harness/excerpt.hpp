// Pieces of a chain that run by themselves: its beginning, and one step alone on plain operands. For measuring, where
// the rest of a chain would be in the way. Knows chains and types, no LibTorch.
#pragma once

#include "harness/typing.hpp"

namespace gradsmith {

/// The chain up to and including a statement, with its open regions closed. Not a program of its own right: it ends
/// without the implied backward.
Chain beginning(const Chain& chain, std::size_t statement);

/// A step alone, in the form asked for: operands are contiguous inputs of the same shapes filled with 1/2 (masks with
/// 1), requiring grad if `graded`; an in-place step writes a fresh copy. It is the last statement.
Chain plain_step(const Step& step, const TypedStep& typed, bool inplace, bool graded);

/// K of a statement that is the K-th step of the chain, from 1.
int number_of_step(const Chain& chain, std::size_t statement);

}  // namespace gradsmith
