// Times of a chain's steps against those of its out-of-place twin, fairly: the two run in turns when caches are warm.
// Knows the executors' interfaces, no LibTorch.
#pragma once

#include "harness/cost.hpp"
#include "harness/typing.hpp"

namespace gradsmith {

/// One chain in 64, told by its inputs and ops: the same ones in every process. To time all would more than double what it
/// costs to judge them.
bool is_paired(const Chain& chain);

/// Runs both in turns, without the implied backward, and puts the shortest time of each step into the costs of their first
/// runs, which it leaves as they are but for that. `twin` is the cost of a twin that ran.
void time_in_turns(const Chain& chain, const Typed& typed, Cost& own, Cost& twin);

}  // namespace gradsmith
