// What a typed chain reaches by itself: the domains `ops`, `edges` and `relations`, from the chain, its types and the
// expectation model. Knows no LibTorch and no verdict.
#pragma once

#include "harness/coverage.hpp"
#include "harness/typing.hpp"

namespace gradsmith {

/// Notes what the chain's statements reach, up to the first refusal that the model expects; histories only of a chain that
/// must be `accepted`: whatever a refused one led to, no gradient of it is judged.
void cover_steps(const Chain& chain, const Typed& typed, bool accepted, Reached& reached);

/// Notes everything that the op table makes possible in `ops`, `edges` and the pairs of saver and writer in `relations`,
/// with float64 tensors. The other domains have no list: what LibTorch dispatches or raises is learnt by running it.
void cover_possible(Reached& possible);

}  // namespace gradsmith
