// The value generators of the chain language, specified bit for bit: integer arithmetic and exact sums only, so that a
// file means the same on every machine and in every release. corpus/README.md documents the formulas.
#pragma once

#include "harness/chain.hpp"

namespace gradsmith {

/// `count` values of `spec`, element i from counter i of stream `stream`, rounded to `dtype`. For `list`, the list
/// (must have `count` entries). Streams tell the roots of one `backward` apart: root k uses k + 1; inputs use stream 0.
std::vector<double> generate_values(const Spec& spec, DType dtype, std::int64_t count, std::uint64_t stream = 0);

/// Counter-based 64-bit mix (splitmix64 over seed, stream and counter): the source of all values.
std::uint64_t mix_bits(std::uint64_t seed, std::uint64_t stream, std::uint64_t counter);

/// The storage of an input: one double per storage element up to the last one used, cells between elements 0.
/// Elements sharing a cell (stride 0) take the value of the first position in row-major order when generated.
std::vector<double> input_storage(const Input& input);
/// Layout of an input: its strides and offset, or contiguous.
Layout input_layout(const Input& input);

/// Seed of a leaf's tangents or direction. It follows from the leaf alone: campaigns see many, and a part of a chain has
/// those of the whole.
std::uint64_t direction_seed(const Input& input);

/// Cotangents of a `backward` statement for roots of these shapes and types: generated per root, or the flat list cut
/// up.
std::vector<std::vector<double>> cotangent_values(const Spec& spec, const std::vector<Shape>& roots,
                                                  const std::vector<DType>& types);

}  // namespace gradsmith
