// The `forward` witness: the chain in forward-mode AD on LibTorch, with a random tangent at every leaf. Tangents of all live
// tensors against those of the reference's tape run forward, element by element; <w, J d> against <J^T w, d> of reverse mode;
// values against those of the plain run (numerics.md, section 5). Forward mode sees no version counters and no no_grad
// regions: it also judges what reverse mode refuses to differentiate. Knows chains, types and the reference; forward.cpp
// alone knows LibTorch.
#pragma once

#include "harness/outcome.hpp"
#include "harness/reference.hpp"
#include "harness/witness.hpp"

namespace gradsmith {

/// What LibTorch's forward mode gives.
struct ForwardRun {
  std::vector<std::optional<Array>> values{};    ///< by Value, at the end
  std::vector<std::optional<Array>> tangents{};  ///< by Value, at the end; absent: LibTorch has none, which means 0
  double product = 0;                            ///< sum of <cotangent, tangent of root> over the backwards that accumulate
  std::optional<Refusal> refusal{};
};

/// Runs the first `statements` statements under a dual level, leaves having the tangents `along`; nothing requires grad and
/// no `backward` is run. A gradient with a name is a constant: the elements it has in `plain`.
ForwardRun execute_forward(const Chain& chain, const Typed& typed, const std::vector<Value>& implied_roots,
                           std::size_t statements, const Outcome& plain, const Tangents& along);

/// The witness. Positions of a leaf that share a cell have equal tangents, as LibTorch lays them out like the leaf. `outcome` is that of a chain that nothing refuses, or that a `backward` refuses as it must (then what comes
/// before it is judged). `reference`: the chain's, for the spread of reverse-mode gradients; null where there is none.
Testimony forward_witness(const Chain& chain, const Typed& typed, const std::vector<Value>& implied_roots,
                          const Outcome& outcome, const Reference* reference);

}  // namespace gradsmith
