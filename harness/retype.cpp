#include "harness/retype.hpp"

#include <algorithm>
#include <array>

namespace gradsmith {
namespace {

/// Calls `visit(DType&)` for the type of each floating input and the target of each cast.
template <class ChainLike, class Visit>
void for_each_type(ChainLike& chain, Visit visit) {
  for (auto& statement : chain.statements) {
    if (auto* input = std::get_if<Input>(&statement); input && is_floating(input->dtype)) visit(input->dtype);
    if (auto* step = std::get_if<Step>(&statement))
      for (auto& arg : step->args)
        if (auto* dtype = std::get_if<DType>(&arg)) visit(*dtype);
  }
}

}  // namespace

std::vector<DType> types_of(const Chain& chain) {
  std::array<bool, 6> seen{};
  for_each_type(chain, [&](const DType& dtype) { seen[static_cast<std::size_t>(dtype)] = true; });
  std::vector<DType> types;
  for (const DType dtype : {DType::f64, DType::f32, DType::f16, DType::bf16})
    if (seen[static_cast<std::size_t>(dtype)]) types.push_back(dtype);
  return types;
}

DType floating_type(const Chain& chain) {
  const auto types = types_of(chain);
  return types.empty() ? DType::f64 : types.back();
}

std::string_view floating_type_name(const Chain& chain) {
  const auto types = types_of(chain);
  return types.size() > 1 ? "mixed" : dtype_name(types.empty() ? DType::f64 : types[0]);
}

std::optional<DType> floating_named(std::string_view spelling) {
  for (const DType dtype : floating_types)
    if (dtype_name(dtype) == spelling) return dtype;
  return std::nullopt;
}

std::vector<DType*> type_places(Chain& chain) {
  std::vector<DType*> places;
  for_each_type(chain, [&](DType& dtype) { places.push_back(&dtype); });
  return places;
}

Chain in_type(Chain chain, DType dtype) {
  return in_turns(std::move(chain), {dtype});
}

Chain in_turns(Chain chain, const std::vector<DType>& types) {
  std::size_t turn = 0;
  for_each_type(chain, [&](DType& own) { own = types[turn++ % types.size()]; });
  return chain;
}

}  // namespace gradsmith
