#include "harness/layout.hpp"

#include <algorithm>
#include <numeric>

namespace gradsmith {
namespace {

Layout permuted_layout(const Shape& shape, const std::vector<int>& innermost_first) {
  if (std::is_sorted(innermost_first.rbegin(), innermost_first.rend())) return contiguous_layout(shape);
  Layout out{shape, Shape(shape.size(), 1), 0};
  std::int64_t stride = 1;
  for (const int dim : innermost_first) {
    out.strides[dim] = stride;
    stride *= shape[dim];  // 0 sizes too: only the row-major order has them count as 1
  }
  return out;
}

/// TensorIterator's order of two dimensions: 1 if `first` should lie further out than `second`, -1 if not, 0 undecided.
int dimension_order(const std::vector<Shape>& strides, const Shape& shape, int first, int second) {
  for (const Shape& s : strides) {
    const auto a = s[first], b = s[second];
    if (a == 0 || b == 0) continue;
    if (a < b) return -1;
    if (a > b) return 1;
    if (shape[first] > shape[second]) return 1;
  }
  return 0;
}

}  // namespace

bool is_contiguous(const Layout& layout) {
  if (element_count(layout.shape) == 0) return true;
  std::int64_t expected = 1;
  for (std::size_t i = layout.shape.size(); i-- > 0;) {
    if (layout.shape[i] == 1) continue;
    if (layout.strides[i] != expected) return false;
    expected *= layout.shape[i];
  }
  return true;
}

bool is_dense(const Layout& layout) {
  if (is_contiguous(layout)) return true;  // without elements always
  const auto rank = layout.shape.size();
  if (rank == 1) return layout.shape[0] < 2 || layout.strides[0] == 1;
  std::vector<int> order(rank);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    if (layout.shape[a] < 2) return false;
    if (layout.shape[b] < 2) return true;
    return layout.strides[a] < layout.strides[b];
  });
  std::int64_t expected = 1;
  for (const int dim : order) {
    if (layout.shape[dim] < 2) return true;
    if (layout.strides[dim] != expected) return false;
    expected *= layout.shape[dim];
  }
  return true;
}

bool has_internal_overlap(const Layout& layout) {
  if (is_dense(layout)) return false;
  for (std::size_t i = 0; i < layout.shape.size(); ++i)
    if (layout.strides[i] == 0 && layout.shape[i] > 1) return true;
  return false;
}

bool has_partial_overlap(const Layout& a, const Layout& b) {
  const auto count_a = element_count(a.shape), count_b = element_count(b.shape);
  if (count_a == 0 || count_b == 0 || !is_dense(a) || !is_dense(b)) return false;
  const auto begin_a = a.offset, end_a = begin_a + count_a, begin_b = b.offset, end_b = begin_b + count_b;
  if (begin_a == begin_b && end_a == end_b) return a.strides != b.strides;
  return begin_a < end_b && begin_b < end_a;
}

bool shares_cells(const Layout& a, const Layout& b) {
  auto cells_a = storage_positions(a), cells_b = storage_positions(b);
  std::sort(cells_a.begin(), cells_a.end());
  return std::any_of(cells_b.begin(), cells_b.end(),
                     [&](auto cell) { return std::binary_search(cells_a.begin(), cells_a.end(), cell); });
}

std::optional<Shape> broadcast(const Shape& a, const Shape& b) {
  Shape out(std::max(a.size(), b.size()));
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto x = i < a.size() ? a[a.size() - 1 - i] : 1, y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1) return std::nullopt;
    out[out.size() - 1 - i] = x == 1 ? y : x;
  }
  return out;
}

Layout elementwise_layout(const std::vector<const Layout*>& operands, bool has_number, const Shape& shape) {
  const int rank = static_cast<int>(shape.size());
  const bool same_shape = std::all_of(operands.begin(), operands.end(), [&](auto* o) { return o->shape == shape; });
  if (same_shape && !(has_number && rank > 0)) {
    if (std::all_of(operands.begin(), operands.end(), [](auto* o) { return is_contiguous(*o); }))
      return contiguous_layout(shape);
    if (std::all_of(operands.begin(), operands.end(),
                    [&](auto* o) { return is_dense(*o) && o->strides == operands[0]->strides; }))
      return {shape, operands[0]->strides, 0};
  }
  std::vector<Shape> strides;
  for (const Layout* o : operands) {
    Shape s(rank, 0);
    const int lead = rank - static_cast<int>(o->shape.size());
    for (int i = lead; i < rank; ++i)
      s[i] = o->shape[i - lead] == 1 && shape[i] != 1 ? 0 : o->strides[i - lead];
    strides.push_back(std::move(s));
  }
  std::vector<int> order(rank);
  std::iota(order.rbegin(), order.rend(), 0);
  for (int i = 1; i < rank; ++i) {  // insertion sort that tolerates undecided pairs, as TensorIterator does
    int moving = i;
    for (int other = i - 1; other >= 0; --other) {
      const int comparison = dimension_order(strides, shape, order[other], order[moving]);
      if (comparison > 0) {
        std::swap(order[other], order[moving]);
        moving = other;
      } else if (comparison < 0) {
        break;
      }
    }
  }
  return permuted_layout(shape, order);
}

}  // namespace gradsmith
