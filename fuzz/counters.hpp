// Semantic coverage as the fuzz engine sees it: 8-bit counters of a made-up module, registered at run time. Knows what was
// reached by number only.
#pragma once

#include "harness/coverage.hpp"

namespace gradsmith {

/// Makes the counters known to the engine, if there is one. Once, before the first input.
void register_counters();
/// Writes what an input reached, of the domains that guide: one of eight bytes per counter. The engine clears them before the next input. At least
/// one counter is set for every input, whatever it was.
void publish(const Reached& reached);

}  // namespace gradsmith
