// What running a chain costs: bytes of tensor storage and nanoseconds, of the whole chain and of each step. Plain data.
#pragma once

#include <cstdint>
#include <vector>

namespace gradsmith {

/// One statement. Bytes are those that LibTorch asked its CPU allocator for; exact, and equal in every run of a chain.
struct StepCost {
  bool measured = false;         ///< a step that ran to its end; of a twin: that did nothing but the op
  std::int64_t nanoseconds = 0;  ///< of one run: noisy
  std::int64_t live = 0;         ///< bytes alive after the step, less those before
  std::int64_t peak = 0;         ///< most bytes alive during the step, less those before
  std::int64_t allocations = 0;
};

/// One run of a chain. `live` and `saved` are taken before the first backward, or at the end if there is none.
struct Cost {
  std::int64_t forward_nanoseconds = 0, backward_nanoseconds = 0;
  std::int64_t live = 0;         ///< bytes alive after forward: inputs, results, and what the graph keeps
  std::int64_t saved = 0;        ///< of these, kept for backward alone: by no name of the chain
  std::int64_t peak = 0;         ///< most bytes alive at any moment, backward included
  std::int64_t allocations = 0;  ///< how often a tensor's storage was allocated
  std::vector<StepCost> steps{};  ///< by statement
};

}  // namespace gradsmith
