// What LibTorch does inside while a chain runs: kernels it dispatches, memory it takes, the graph it leaves. Its header
// is for execute.cpp; includes no LibTorch but by forward declaration.
#pragma once

#include <memory>
#include <vector>

#include "harness/coverage.hpp"

namespace at {
class Tensor;
}

namespace gradsmith {

/// While it lives, what this thread's LibTorch calls dispatch and allocate is noted (`kernels`, `resources`), of one chain in
/// eight (`Reached::chosen`): to be watched costs half of LibTorch's own time. Nothing is watched for a null `reached`.
/// Watching changes no result: callbacks only read names.
class Watch {
 public:
  explicit Watch(Reached* reached);
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  /// Notes the totals.
  ~Watch();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Notes the graph behind these tensors (`graph`). Reads grad_fn, which makes stale views anew (autograd.md, trap T1): only
/// for tensors of a run whose outcome has been taken.
void cover_graph(const std::vector<at::Tensor>& tensors, Reached& reached);

}  // namespace gradsmith
