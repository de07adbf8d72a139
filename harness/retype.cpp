#include "harness/retype.hpp"

namespace gradsmith {

std::optional<DType> floating_named(std::string_view spelling) {
  for (const DType dtype : floating_types)
    if (dtype_name(dtype) == spelling) return dtype;
  return std::nullopt;
}

Chain in_type(Chain chain, DType dtype) {
  for (Statement& statement : chain.statements)
    if (auto* input = std::get_if<Input>(&statement); input && is_floating(input->dtype)) input->dtype = dtype;
  return chain;
}

}  // namespace gradsmith
