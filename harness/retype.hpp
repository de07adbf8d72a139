// A chain in another floating type. Knows chains only.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "harness/chain.hpp"

namespace gradsmith {

/// The floating types of the language, and the one that is spelled so; nothing for other words.
inline constexpr std::array floating_types{DType::f64, DType::f32, DType::bf16, DType::f16};
std::optional<DType> floating_named(std::string_view spelling);

/// The chain with all floating inputs of this type; listed values are rounded to it when they are read.
Chain in_type(Chain chain, DType dtype);

}  // namespace gradsmith
