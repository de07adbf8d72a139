// Numbered work shared out to forked processes: item i goes to process i % jobs. A process that dies or falls silent is
// replaced and the item it was at is reported; the parent lives on. Knows nothing of chains or LibTorch.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "harness/process.hpp"

namespace gradsmith {

/// Why no answer came for an item.
struct Death {
  bool hang = false;  ///< silent for longer than allowed, and killed for it
  Ended ended{};
};

/// What to do. `begin` and `work` run in the child processes, all else in the parent.
struct PoolWork {
  std::uint64_t count = 0;  ///< items 0 .. count-1
  int jobs = 1;
  double silence = 20;                                                 ///< seconds one item may take
  std::function<void(int worker)> begin{};                             ///< once per process
  std::function<std::string(int worker, std::uint64_t index)> work{};  ///< the answer for one item
  std::function<void(std::uint64_t index, std::string_view answer)> done{};
  std::function<void(std::uint64_t index, const Death& death)> died{};
  std::function<bool()> keep_going{};  ///< asked at least every tenth of a second; false: finish the items under way
};

/// Does the work; returns when all items are answered, or after `keep_going` said no. An item whose process was killed
/// from outside (SIGKILL that is not ours) is tried once more before it is reported as dead. EnvironmentError if a
/// process dies again and again before it reaches its first item, and with a process's own words if it finds that
/// something is missing.
void run_pool(const PoolWork& work);

}  // namespace gradsmith
