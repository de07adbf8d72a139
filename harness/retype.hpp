// The floating types of a chain, and the chain in another one. Knows chains only.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "harness/chain.hpp"

namespace gradsmith {

/// The floating types of the language, and the one that is spelled so; nothing for other words.
inline constexpr std::array floating_types{DType::f64, DType::f32, DType::bf16, DType::f16};
std::optional<DType> floating_named(std::string_view spelling);

/// The floating types of a chain's inputs and casts, each once, the widest first (bf16 last).
std::vector<DType> types_of(const Chain& chain);
/// The floating type of a chain; the narrowest where there are several, f64 if there is none.
DType floating_type(const Chain& chain);
/// Name of that type; "mixed" where there are several.
std::string_view floating_type_name(const Chain& chain);

/// Where they stand, in order; while the chain stays.
std::vector<DType*> type_places(Chain& chain);

/// The chain with all floating inputs and casts of this type; listed values are rounded to it when they are read.
Chain in_type(Chain chain, DType dtype);
/// The same with these types in turn, from the first input on.
Chain in_turns(Chain chain, const std::vector<DType>& types);

}  // namespace gradsmith
