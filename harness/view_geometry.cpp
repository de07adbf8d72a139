#include "harness/view_geometry.hpp"

#include <algorithm>

namespace gradsmith {
namespace {

std::int64_t rank_of(const Layout& layout) { return static_cast<std::int64_t>(layout.shape.size()); }

/// Sizes beyond any limit of the chain language, so that products stay far from overflow.
bool too_large(const Shape& shape) {
  constexpr std::int64_t bound = std::int64_t{1} << 40;
  std::int64_t product = 1;
  for (const std::int64_t size : shape) {
    if (size > bound / product) return true;
    product *= std::max<std::int64_t>(size, 1);
  }
  return false;
}

void remove(Layout& layout, std::int64_t dim) {
  layout.shape.erase(layout.shape.begin() + dim);
  layout.strides.erase(layout.strides.begin() + dim);
}

}  // namespace

std::optional<Shape> view_strides(const Layout& layout, const Shape& new_shape) {
  const Shape& old_shape = layout.shape;
  const Shape& old_strides = layout.strides;
  if (old_shape.empty()) return Shape(new_shape.size(), 1);
  if (element_count(old_shape) == 0) return old_shape == new_shape ? old_strides : contiguous_layout(new_shape).strides;

  // Walks chunks of dimensions that lie contiguous to each other, from the last; each must be used up by whole new
  // ones.
  Shape strides(new_shape.size());
  auto next = static_cast<std::int64_t>(new_shape.size()) - 1;
  std::int64_t chunk_stride = old_strides.back(), old_count = 1, new_count = 1;
  for (std::int64_t d = rank_of(layout) - 1; d >= 0; --d) {
    old_count *= old_shape[d];
    const bool chunk_ends = d == 0 || (old_shape[d - 1] != 1 && old_strides[d - 1] != old_count * chunk_stride);
    if (!chunk_ends) continue;
    for (; next >= 0 && (new_count < old_count || new_shape[next] == 1); --next) {
      strides[next] = new_count * chunk_stride;
      new_count *= new_shape[next];
    }
    if (new_count != old_count) return std::nullopt;
    if (d > 0) chunk_stride = old_strides[d - 1];
    old_count = new_count = 1;
  }
  if (next >= 0) return std::nullopt;
  return strides;
}

std::optional<Shape> infer_size(const Shape& size, std::int64_t count) {
  if (too_large(size) || std::any_of(size.begin(), size.end(), [](auto s) { return s < -1; })) return std::nullopt;
  Shape shape = size;
  const auto open = std::find(shape.begin(), shape.end(), -1);
  if (open != shape.end()) {
    *open = 1;
    const std::int64_t rest = element_count(shape);
    if (rest <= 0 || count % rest != 0) return std::nullopt;  // a second -1 makes it negative or, over a 0, ambiguous
    *open = count / rest;
  }
  if (std::count(shape.begin(), shape.end(), -1) > 0 || element_count(shape) != count) return std::nullopt;
  return shape;
}

Layout selected(const Layout& layout, std::int64_t dim, std::int64_t index) {
  Layout out = layout;
  out.offset += index * layout.strides[dim];
  remove(out, dim);
  return out;
}

Layout sliced(const Layout& layout, std::int64_t dim, std::int64_t start, std::int64_t end, std::int64_t step) {
  Layout out = layout;
  const std::int64_t size = layout.shape[dim];
  const std::int64_t from = std::clamp<std::int64_t>(start < 0 ? start + size : start, 0, size);
  const std::int64_t to = std::clamp<std::int64_t>(end < 0 ? end + size : end, from, size);
  out.offset += from * layout.strides[dim];
  out.shape[dim] = to == from ? 0 : (to - from - 1) / step + 1;
  out.strides[dim] *= step;
  return out;
}

Layout transposed(const Layout& layout, std::int64_t dim0, std::int64_t dim1) {
  Layout out = layout;
  if (dim0 == dim1) return out;
  std::swap(out.shape[dim0], out.shape[dim1]);
  std::swap(out.strides[dim0], out.strides[dim1]);
  return out;
}

Layout permuted(const Layout& layout, const Shape& dims) {
  Layout out = layout;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    out.shape[i] = layout.shape[dims[i]];
    out.strides[i] = layout.strides[dims[i]];
  }
  return out;
}

Layout unsqueezed(const Layout& layout, std::int64_t dim) {
  Layout out = layout;
  const std::int64_t stride = dim == rank_of(layout) ? 1 : layout.shape[dim] * layout.strides[dim];
  out.shape.insert(out.shape.begin() + dim, 1);
  out.strides.insert(out.strides.begin() + dim, stride);
  return out;
}

Layout squeezed(const Layout& layout, const Shape& dims) {
  Layout out = layout;
  for (std::int64_t d = rank_of(layout) - 1; d >= 0; --d)
    if (layout.shape[d] == 1 && std::find(dims.begin(), dims.end(), d) != dims.end()) remove(out, d);
  return out;
}

std::optional<Layout> expanded(const Layout& layout, const Shape& size) {
  const std::int64_t added = static_cast<std::int64_t>(size.size()) - rank_of(layout);
  if (added < 0 || too_large(size)) return std::nullopt;
  Layout out{size, Shape(size.size(), 0), layout.offset};
  for (auto d = static_cast<std::int64_t>(size.size()) - 1; d >= 0; --d) {
    const bool existing = d >= added;
    const std::int64_t old = existing ? layout.shape[d - added] : 1;
    if (size[d] == -1 && existing) out.shape[d] = old;
    if (out.shape[d] < 0 || (out.shape[d] != old && old != 1)) return std::nullopt;
    if (out.shape[d] != old || layout.shape.empty()) continue;  // repeated; and all strides of an expanded 0-dim are 0
    out.strides[d] = existing ? layout.strides[d - added] : out.shape[d + 1] * out.strides[d + 1];
  }
  return out;
}

Layout diagonal_of(const Layout& layout, std::int64_t offset, std::int64_t dim1, std::int64_t dim2) {
  Layout out = layout;
  const std::int64_t above = std::max<std::int64_t>(offset, 0), below = std::max<std::int64_t>(-offset, 0);
  const std::int64_t size = std::max<std::int64_t>(std::min(layout.shape[dim1] - below, layout.shape[dim2] - above), 0);
  if (size > 0) out.offset += above * layout.strides[dim2] + below * layout.strides[dim1];
  remove(out, std::max(dim1, dim2));
  remove(out, std::min(dim1, dim2));
  out.shape.push_back(size);
  out.strides.push_back(layout.strides[dim1] + layout.strides[dim2]);
  return out;
}

}  // namespace gradsmith
