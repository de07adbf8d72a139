// One random change of a chain, for coverage-guided fuzzing: the result is always a valid chain. Knows chains, types and
// op schemas; no engine, no LibTorch.
#pragma once

#include "harness/chain.hpp"
#include "harness/choices.hpp"

namespace gradsmith {

/// `chain` with one part changed: a step dropped, inserted or put in the other form; an operand, an attribute, an input's
/// values, layout or flag changed; a region or a `backward` added. Equal choices give equal chains; if no change of the
/// kinds drawn is valid, `chain` itself.
Chain mutate(const Chain& chain, Choices& choices);

}  // namespace gradsmith
