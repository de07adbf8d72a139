// Names the op at fault in a finding. A value: the first step whose result departs from the reference. A gradient: walking
// back from the roots, the first step whose incoming cotangent agrees with the reference while one that leaves it does
// not. Runs the chain again with hooks, so it is asked only after the verdict (hooks disturb what they observe).
#pragma once

#include <optional>
#include <string>

#include "harness/outcome.hpp"
#include "harness/typing.hpp"

namespace gradsmith {

/// The op in its form ("hardsigmoid", "add_"); empty if no step can be singled out.
std::string guilty_of_value(const Chain& chain, const Typed& typed);
std::string guilty_of_gradient(const Chain& chain, const Typed& typed, const std::vector<Value>& implied_roots);

/// "relu_" for an in-place step, "relu" otherwise.
std::string form_of(const Step& step);

}  // namespace gradsmith
