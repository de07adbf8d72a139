// Names who is at fault in a finding. A value: the first step whose result departs from the reference. A gradient: the steps
// that add to the last cotangent of the chain that departs from the reference; what arrives at them does not. Runs the chain
// again with hooks, so it is asked only after the verdict (hooks disturb what they observe).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/outcome.hpp"
#include "harness/typing.hpp"

namespace gradsmith {

/// The op in its form ("hardsigmoid", "add_"); empty if no step can be singled out.
std::string guilty_of_value(const Chain& chain, const Typed& typed);

/// A step that may have made a wrong gradient.
struct Accused {
  std::size_t statement;
  std::vector<double> cotangent;  ///< what arrives at its result or target, by the reference; row-major
};
/// Last step first; empty if none can be singled out.
std::vector<Accused> accused_of_gradient(const Chain& chain, const Typed& typed, const std::vector<Value>& implied_roots);

/// "relu_" for an in-place step, "relu" otherwise.
std::string form_of(const Step& step);

}  // namespace gradsmith
