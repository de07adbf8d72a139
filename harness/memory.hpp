// The `memory` witness: every step takes the bytes that its footprint says, to the byte, and nothing is left when a
// chain is over. Knows costs and footprints; runs LibTorch again, through the executor, only to name the step that
// leaks.
#pragma once

#include "harness/expect.hpp"
#include "harness/outcome.hpp"
#include "harness/witness.hpp"

namespace gradsmith {

/// Details: "kept" (bytes that outlive a step), "scratch" (bytes during it), "storage" (a leak), "cycle" (one of
/// the graph, laid at the door of autograd).
/// Weighs the steps that ran, a refused chain's too. `kept` as `expect` gave it. Skipped but for float64. Leaks are not
/// looked for after a backward that failed: the engine holds what it had not yet worked off until the thread's next.
Testimony memory_witness(const Chain& chain, const Typed& typed, const std::vector<Kept>& kept, const Outcome& outcome);

}  // namespace gradsmith
