// Where the elements of a view lie: LibTorch's rules for shapes and strides of views, as functions on layouts.
// Mirrors computeStride (ATen/TensorUtils.cpp), inferExpandGeometry (ATen/ExpandUtils.cpp) and TensorShape.cpp. Knows
// neither ops nor LibTorch; what a caller must have checked stands with each function. Dimensions are in [0, rank).
#pragma once

#include <optional>

#include "harness/array.hpp"

namespace gradsmith {

/// Strides with which `layout` can be seen as `new_shape` (same number of elements) without a copy; nothing if it
/// cannot.
std::optional<Shape> view_strides(const Layout& layout, const Shape& new_shape);
/// `size` with its one -1 worked out; nothing if it does not hold exactly `count` elements, is ambiguous or negative.
std::optional<Shape> infer_size(const Shape& size, std::int64_t count);

/// Dimension removed at `index`, which lies in [0, size).
Layout selected(const Layout& layout, std::int64_t dim, std::int64_t index);
/// Elements start, start + step, ... before `end`, bounds clamped as LibTorch does (negative: from the end); step > 0.
Layout sliced(const Layout& layout, std::int64_t dim, std::int64_t start, std::int64_t end, std::int64_t step);
/// Two dimensions exchanged; those of a 0-dim layout are both 0 and change nothing.
Layout transposed(const Layout& layout, std::int64_t dim0, std::int64_t dim1);
/// Dimension i of the result is dimension dims[i]; `dims` is a permutation.
Layout permuted(const Layout& layout, const Shape& dims);
/// A dimension of size 1 put in at `dim`, in [0, rank].
Layout unsqueezed(const Layout& layout, std::int64_t dim);
/// Those of `dims` removed that have size 1.
Layout squeezed(const Layout& layout, const Shape& dims);
/// Expanded to `size`, where -1 keeps a size; nothing if a size neither fits nor can be kept.
std::optional<Layout> expanded(const Layout& layout, const Shape& size);
/// The diagonal of two different dimensions, as last dimension; `offset` > 0 lies above it, an offset off the end is
/// empty.
Layout diagonal_of(const Layout& layout, std::int64_t offset, std::int64_t dim1, std::int64_t dim2);

}  // namespace gradsmith
