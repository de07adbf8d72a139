// The `twin` witness: the chain with every in-place step rewritten out of place. Storages that are written through aliases
// become values that are rebuilt at each write, so that no in-place or view-rebase machinery takes part.
#pragma once

#include <string>
#include <variant>

#include "harness/outcome.hpp"
#include "harness/typing.hpp"

namespace gradsmith {

/// What the twin gave, and whether its gradients must equal the chain's bit for bit.
struct Twin {
  Outcome outcome;
  bool bitwise_gradients = true;
};

/// Runs the twin of a chain that nothing refuses, or says why there is none ("no in-place step", ...).
std::variant<Twin, std::string> execute_twin(const Chain& chain, const Typed& typed, const std::vector<Value>& implied_roots);

}  // namespace gradsmith
