// The `memory` witness: every step takes the bytes that its footprint says, to the byte. Knows costs and footprints; no
// LibTorch. What a whole chain leaves behind is for the lane `leak`.
#pragma once

#include "harness/expect.hpp"
#include "harness/outcome.hpp"
#include "harness/witness.hpp"

namespace gradsmith {

/// Details: "kept" (bytes that outlive a step), "scratch" (bytes during it). Weighs the steps that ran, a refused chain's
/// too. `kept` as `expect` gave it. Skipped but for float64.
Testimony memory_witness(const Chain& chain, const Typed& typed, const std::vector<Retained>& kept, const Outcome& outcome);

}  // namespace gradsmith
