// The `second` witness: the gradient of a chain, made with create_graph, is differentiated once more along a random
// direction d: the gradient of <g, d> for every leaf, against the reference on dual numbers over the tape, element by element
// (numerics.md 3.2). Finite differences of LibTorch's first gradient stand beside what departs. Knows chains, types and the
// reference; second.cpp alone knows LibTorch.
#pragma once

#include "harness/outcome.hpp"
#include "harness/reference.hpp"
#include "harness/witness.hpp"

namespace gradsmith {

/// What LibTorch gives for both derivatives.
struct SecondRun {
  std::vector<std::optional<Array>> first{};   ///< by Value, leaves: the gradient, made with create_graph
  std::vector<std::optional<Array>> second{};  ///< by Value, leaves: the gradient of <first, along>; absent: 0
  std::optional<Refusal> refusal{};            ///< of backward 1 or 2
};

/// Runs a chain that has no `backward` of its own, then both backwards. What LibTorch throws before them is a refusal too.
SecondRun execute_second(const Chain& chain, const std::vector<Value>& implied_roots, const Tangents& along);

/// The witness. `outcome`: that of the chain as it is, which nothing refuses.
Testimony second_witness(const Chain& chain, const Typed& typed, const std::vector<Value>& implied_roots,
                         const Outcome& outcome);

}  // namespace gradsmith
