// A tensor as a step of a running chain finds it. Plain data.
#pragma once

#include <functional>
#include <vector>

#include "harness/chain.hpp"

namespace gradsmith {

struct Operand {
  std::vector<double> elements{};  ///< row-major
  bool requires_grad = true;       ///< the step is recorded for it
};
/// The operands of one step, by the names they have in the chain.
using OperandOf = std::function<Operand(Value)>;

}  // namespace gradsmith
