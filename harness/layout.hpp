// LibTorch's rules about strides: contiguity, density, overlap, and the strides TensorIterator gives a fresh result.
// Mirrors ATen's MemoryOverlap.cpp and TensorIterator.cpp. Knows layouts only.
#pragma once

#include <optional>
#include <vector>

#include "harness/array.hpp"

namespace gradsmith {

/// `Tensor::is_contiguous()`.
bool is_contiguous(const Layout& layout);
/// `is_non_overlapping_and_dense()`: some permutation of the dimensions is contiguous.
bool is_dense(const Layout& layout);
/// What `assert_no_internal_overlap` refuses (E13): a stride-0 dimension of size > 1.
bool has_internal_overlap(const Layout& layout);
/// What `assert_no_partial_overlap` refuses (E14), for two tensors of one storage. Layouts that are not dense are "too
/// hard" for LibTorch and pass.
bool has_partial_overlap(const Layout& a, const Layout& b);
/// Some storage cell belongs to both (exact).
bool shares_cells(const Layout& a, const Layout& b);
/// Broadcast of two shapes; nothing if they do not fit.
std::optional<Shape> broadcast(const Shape& a, const Shape& b);
/// Layout of a fresh elementwise result over these operands (numbers count as 0-dim operands: pass their presence).
Layout elementwise_layout(const std::vector<const Layout*>& operands, bool has_number, const Shape& shape);

}  // namespace gradsmith
