// The `time` witness: no step takes ten times what the same step takes alone on plain operands, in either of its forms.
// Measured until that is sure: repeated, in turns, the shortest of each side. Knows the executor's interface.
#pragma once

#include "harness/expect.hpp"
#include "harness/outcome.hpp"
#include "harness/witness.hpp"

namespace gradsmith {

/// What bounds a slowdown.
struct Slowness {
  double factor = 10;  ///< the least that counts; right programs stay below 5, on a loaded machine too
  int repeats = 50;    ///< runs of each side before a step is accused
  /// Larger tensors are not judged: their values and layouts decide (subnormal numbers, loops that cannot be vectorized,
  /// page faults), not the calls.
  std::int64_t most_elements = 64;
};

/// Weighs a chain that ran to its end. Looks closer only at steps that took long in the run at hand, so it costs
/// little; which those are it tells by the shortest times it has seen in this process.
Testimony time_witness(const Chain& chain, const Typed& typed, const std::vector<Retained>& kept, const Outcome& outcome);

}  // namespace gradsmith
