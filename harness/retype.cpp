#include "harness/retype.hpp"

namespace gradsmith {

Chain in_type(Chain chain, DType dtype) {
  for (Statement& statement : chain.statements)
    if (auto* input = std::get_if<Input>(&statement); input && is_floating(input->dtype)) input->dtype = dtype;
  return chain;
}

}  // namespace gradsmith
