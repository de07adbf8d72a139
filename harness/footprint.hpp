// What one step must cost in bytes: its results, the clone that an in-place form keeps for its gradient, and what its
// entry in the op table says it needs besides. Exact. Knows types and the op table, no LibTorch.
#pragma once

#include <optional>

#include "harness/expect.hpp"

namespace gradsmith {

/// Bytes above those before the step: after it, and at its highest.
struct Footprint {
  std::int64_t live = 0, peak = 0;
};

/// The footprint of a float64 step that nothing refuses, `kept` as the model has it. Nothing where an operand that can
/// carry a gradient has another dtype: kernels convert, which the table does not state.
std::optional<Footprint> footprint(const Step& step, const TypedStep& typed, const Retained& kept);

}  // namespace gradsmith
