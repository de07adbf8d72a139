// The typed mutator over texts, as the fuzz engine calls it: chains in, chains out. Knows no verdict.
#pragma once

#include <cstddef>
#include <cstdint>

#include "harness/chain.hpp"
#include "harness/generate.hpp"

namespace gradsmith {

/// The chain of a text, or of bytes that are none (decode.hpp). Total.
Chain chain_of(const std::uint8_t* data, std::size_t size);
/// Writes the chain's text if it fits; the size written, 0 if it does not.
std::size_t put(const Chain& chain, std::uint8_t* data, std::size_t max_size);

/// LLVMFuzzerCustomMutator. A function of its arguments only. With `size > max_size` (`-minimize_crash`) a reduction pass.
/// Chains generated afresh look as `knobs` says; where it names another type than f64, mutants are put into that, too, and
/// where it mixes types they are given several. Without, a mutant has one floating type.
std::size_t mutate_text(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed, const Knobs& knobs = {});

}  // namespace gradsmith
