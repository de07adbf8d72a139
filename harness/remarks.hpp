// What of a reduced chain matters: varies each part by itself, about fifty times and always alike, and says beside the
// line what may stand there. Pure functions of a chain and a question; no LibTorch.
#pragma once

#include "harness/reduce.hpp"

namespace gradsmith {

/// A chain with remarks, and what they cost.
struct Remarked {
  Chain chain;  ///< its statements as they came; the remarks are new
  int tries = 0;
  bool complete = false;  ///< every part was varied within the limits; the others have no remark
};

/// Remarks on inputs (values, shape, requires_grad), on attributes and cotangents, and at the end how else the finding
/// shows (dtype, in place or not, in regions, without a statement). A part that must stay as it is gets none.
/// `chain` must be interesting; the question should be about the fault, not about its magnitude or dtype.
Remarked remark_on(const Chain& chain, const Interesting& interesting, const ReduceLimits& limits = {});

}  // namespace gradsmith
