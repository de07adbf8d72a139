// Any bytes to a chain, for engines that only mutate bytes. Total and self-synchronising: every record of a fixed size is
// one statement, read by itself; a record that is none where it stands is left out. Knows the op table and the typer.
#pragma once

#include <cstdint>
#include <span>

#include "harness/chain.hpp"

namespace gradsmith {

/// Bytes of one record: the kind of statement, then the choices it is made from (what is missing counts as 0).
inline constexpr std::size_t decoded_record = 12;
/// Records read at most; the rest is ignored.
inline constexpr std::size_t decoded_records = 40;

/// A valid chain, in canonical names. Equal bytes give equal chains; a changed record changes its own statement and what
/// its names mean to later ones.
Chain decode(std::span<const std::uint8_t> bytes);

}  // namespace gradsmith
