// Makes a failing chain as small as it goes while it keeps its signature. One ordered list of passes, run to a fixpoint;
// deterministic, so that different chains of one fault reach the same text. Knows chains, ops and a question; no LibTorch.
#pragma once

#include <functional>
#include <string_view>

#include "harness/chain.hpp"

namespace gradsmith {

/// "Does this valid chain still show it?" Must be deterministic.
using Interesting = std::function<bool(const Chain&)>;

struct ReduceLimits {
  int tries = 20000;       ///< questions asked at most
  double seconds = 60;     ///< wall clock at most; a test sets it high so that results do not depend on speed
};

struct Reduced {
  Chain chain;
  int tries = 0;
  bool complete = false;  ///< a fixpoint was reached within the limits
};

/// The smallest chain found; at worst `chain` itself in canonical names. `chain` must be interesting.
Reduced reduce(const Chain& chain, const Interesting& interesting, const ReduceLimits& limits = {});

/// One-step smaller chains of a pass, in order of preference: valid chains only. For RapidCheck's shrinking and mutators.
struct Pass {
  std::string_view name;
  void (*candidates)(const Chain&, const std::function<bool(Chain&&)>& propose);  ///< propose returns true: taken, stop
};
/// All passes in the order they run.
const std::vector<Pass>& passes();

/// Values renamed a, b, c, ... for inputs and v1, v2, ... for results in order of definition; unused names dropped.
Chain canonical_names(const Chain& chain);
/// Shortlex order: fewer steps, then fewer statements, then smaller shapes, then the shorter and lesser text.
bool simpler(const Chain& a, const Chain& b);

}  // namespace gradsmith
