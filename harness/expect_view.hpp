// The expectation model's state as plain data, for explanations: what each tensor is to autograd at one moment, what
// each node keeps, and which node a refusal is laid to. Words of autograd.md, section 2. Knows chains and ops only.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/op.hpp"

namespace gradsmith {

/// How a view was taken; all but `normal` must not be rebased.
enum class ViewTag : std::uint8_t { normal, multi_output, no_grad, inference };

/// One tensor now.
struct TensorView {
  Value object = dropped;  ///< the first name of the same tensor object
  Value base = dropped;    ///< of a differentiable view: its root base
  ViewTag tag = ViewTag::normal;
  int counter = -1;  ///< its version counter, shared by aliases; -1: none (an inference tensor)
  int version = 0;
  bool requires_grad = false,
       leaf = false;  ///< leaf: it requires grad and has no history (trap T1: as LibTorch sees it)
  bool inference = false;
  bool stale = false;  ///< a view whose base has been written since its history was made
};

/// One tensor that a node keeps for backward.
struct KeptView {
  Value operand = dropped;  ///< none: the result, or a private copy
  int counter = -1;         ///< -1: a private copy, which no write can reach
  int version = 0;          ///< at the moment of saving
};

/// One node of the graph.
struct NodeView {
  const Op* op = nullptr;     ///< null: a leaf's accumulator, or a view's history made anew
  bool through_base = false;  ///< written through a view: its history went to the base
  bool freed = false;
  std::vector<KeptView> kept{};
};

/// The node that ran last in the backward that was refused, and which of the tensors it keeps it was unpacking; -1:
/// none.
struct Blame {
  int node = -1, kept = -1;
};

}  // namespace gradsmith
