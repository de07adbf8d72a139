// What a mode's witness says of a refusal that is not the one it expects. Knows outcomes and testimonies; no LibTorch.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "harness/outcome.hpp"
#include "harness/witness.hpp"

namespace gradsmith {

/// Nothing if `got` is the refusal that is wanted, in id and phase; else `witness` disagrees, with a finding of this kind.
/// `mode` begins the reason ("in forward mode"); `word` spells a refusal in the signature.
std::optional<Testimony> wrong_refusal(Witness witness, FindingKind kind, std::string_view mode,
                                       const std::optional<Refusal>& want, const std::optional<Refusal>& got,
                                       std::string (*word)(const std::optional<Refusal>&));

}  // namespace gradsmith
