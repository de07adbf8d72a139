#include "harness/ops/view_shapes.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <optional>

#include "harness/ops/family.hpp"
#include "harness/view_geometry.hpp"

namespace gradsmith::ops::view_shapes {
namespace {

Shaped view_of(Layout layout) {
  Shaped out = one_result(std::move(layout));
  out.results[0].view = true;
  return out;
}
Shaped views_of(std::vector<Layout> layouts) {
  Shaped shaped;
  for (Layout& layout : layouts) shaped.results.push_back({.layout = std::move(layout), .view = true});
  return shaped;
}

Shape list(const Args& args, std::size_t i) { return {args.list(i).begin(), args.list(i).end()}; }
std::string text_of(const Shape& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

Shaped out_of_range(std::int64_t dim, std::int64_t rank) {
  return invalid_step(fmt::format("dim {} is out of range for {} dimensions", dim, rank));
}

/// Calls `rule(dim)` with parameter i as a dimension of operand 0, which must have one unless `scalars` are welcome.
template <class Rule>
Shaped with_dim(const Call& call, std::size_t i, Rule rule, bool scalars = false) {
  const auto dim = wrap_dim(call.args.integer(i), call.rank(0));
  if (!dim) return out_of_range(call.args.integer(i), call.rank(0));
  if (call.rank(0) == 0 && !scalars) return invalid_step(fmt::format("{} cannot take a 0-dim tensor", call.op->name));
  return rule(*dim);
}

/// Pieces of `piece` elements of a dimension, the last with the rest; at least one.
std::vector<Layout> pieces(const Layout& layout, std::int64_t dim, std::int64_t piece) {
  const std::int64_t size = layout.shape[dim];
  std::vector<Layout> out;
  for (std::int64_t at = 0; at < size || out.empty(); at += piece)
    out.push_back(sliced(layout, dim, at, piece < size - at ? at + piece : size, 1));
  return out;
}

}  // namespace

Shaped view(const Call& call) {
  const Shape size = list(call.args, 1);
  const std::int64_t count = element_count(call.shape(0));
  const auto shape = infer_size(size, count);
  if (!shape) return invalid_step(fmt::format("size {} does not fit {} elements", text_of(size), count));
  const Layout& self = call.layout(0);
  if (const auto strides = view_strides(self, *shape)) return view_of({*shape, *strides, self.offset});
  return invalid_step(fmt::format("strides {} cannot be viewed as {}", text_of(self.strides), text_of(*shape)));
}

Shaped narrow(const Call& call) {
  return with_dim(call, 1, [&](std::int64_t dim) {
    const std::int64_t size = call.shape(0)[dim], start = call.args.integer(2), length = call.args.integer(3);
    const std::int64_t from = start < 0 ? start + size : start;
    if (length < 0 || from < 0 || from > size || length > size - from)
      return invalid_step(fmt::format("start {} and length {} do not fit a dimension of size {}", start, length, size));
    return view_of(sliced(call.layout(0), dim, from, from + length, 1));
  });
}

Shaped select(const Call& call) {
  return with_dim(call, 1, [&](std::int64_t dim) {
    const std::int64_t size = call.shape(0)[dim], index = call.args.integer(2);
    if (index < -size || index >= size)
      return invalid_step(fmt::format("index {} is out of range for size {}", index, size));
    return view_of(selected(call.layout(0), dim, index < 0 ? index + size : index));
  });
}

Shaped slice(const Call& call) {
  return with_dim(call, 1, [&](std::int64_t dim) {
    const std::int64_t size = call.shape(0)[dim], step = call.args.integer(4);
    if (step <= 0) return invalid_step("step must be positive");
    const std::int64_t start = call.args.is_none(2) ? 0 : call.args.integer(2);
    const std::int64_t end = call.args.is_none(3) ? size : call.args.integer(3);
    return view_of(sliced(call.layout(0), dim, start, end, step));
  });
}

Shaped transpose(const Call& call) {
  return with_dim(
      call, 1,
      [&](std::int64_t dim0) {
        return with_dim(
            call, 2, [&](std::int64_t dim1) { return view_of(transposed(call.layout(0), dim0, dim1)); }, true);
      },
      true);
}

Shaped t(const Call& call) {
  if (call.rank(0) > 2) return invalid_step(fmt::format("t takes at most 2 dimensions, not {}", call.rank(0)));
  return view_of(transposed(call.layout(0), 0, call.rank(0) < 2 ? 0 : 1));
}

Shaped permute(const Call& call) {
  const std::int64_t rank = call.rank(0);
  Shape dims = list(call.args, 1);
  for (std::int64_t& d : dims) d += d < 0 ? rank : 0;
  Shape sorted = dims, all(static_cast<std::size_t>(rank));
  std::iota(all.begin(), all.end(), std::int64_t{0});
  std::sort(sorted.begin(), sorted.end());
  if (sorted != all)
    return invalid_step(
        fmt::format("dims {} is not a permutation of {} dimensions", text_of(list(call.args, 1)), rank));
  return view_of(permuted(call.layout(0), dims));
}

Shaped unsqueeze(const Call& call) {
  const std::int64_t rank = call.rank(0), dim = call.args.integer(1);
  if (dim < -rank - 1 || dim > rank) return out_of_range(dim, rank + 1);
  return view_of(unsqueezed(call.layout(0), dim < 0 ? dim + rank + 1 : dim));
}

/// None squeezes every dimension; an empty list, unlike elsewhere, none.
Shaped squeeze(const Call& call) {
  Shape dims;
  for (std::int64_t d = 0; call.args.is_none(1) && d < call.rank(0); ++d) dims.push_back(d);
  for (const std::int64_t d : call.args.is_none(1) ? Shape{} : list(call.args, 1)) {
    const auto dim = wrap_dim(d, call.rank(0));
    if (!dim) return out_of_range(d, call.rank(0));
    if (std::find(dims.begin(), dims.end(), *dim) != dims.end())
      return invalid_step(fmt::format("dim {} is repeated", d));
    dims.push_back(*dim);
  }
  return view_of(squeezed(call.layout(0), dims));
}

Shaped expand(const Call& call) {
  const Shape size = list(call.args, 1);
  const auto layout = expanded(call.layout(0), size);
  if (!layout) return invalid_step(fmt::format("{} cannot be expanded to {}", text_of(call.shape(0)), text_of(size)));
  return view_of(*layout);
}

/// The operand itself, a view, or where no view can show it so, a copy.
Shaped flatten(const Call& call) {
  return with_dim(
      call, 1,
      [&](std::int64_t start) {
        return with_dim(
            call, 2,
            [&](std::int64_t end) -> Shaped {
              const Layout& self = call.layout(0);
              if (start > end) return invalid_step("start_dim comes after end_dim");
              if (call.rank(0) == 0) return view_of({{1}, {1}, self.offset});
              if (start == end) return {.results = {{.layout = self, .same_object = true}}};
              Shape shape(self.shape.begin(), self.shape.begin() + start);
              shape.push_back(element_count({self.shape.begin() + start, self.shape.begin() + end + 1}));
              shape.insert(shape.end(), self.shape.begin() + end + 1, self.shape.end());
              if (const auto strides = view_strides(self, shape)) return view_of({shape, *strides, self.offset});
              return contiguous_result(shape);
            },
            true);
      },
      true);
}

Shaped diagonal(const Call& call) {
  return with_dim(call, 2, [&](std::int64_t dim1) {
    return with_dim(call, 3, [&](std::int64_t dim2) {
      if (dim1 == dim2) return invalid_step("dim1 and dim2 are the same dimension");
      return view_of(diagonal_of(call.layout(0), call.args.integer(1), dim1, dim2));
    });
  });
}

Shaped split(const Call& call) {
  return with_dim(call, 2, [&](std::int64_t dim) {
    const std::int64_t piece = call.args.integer(1);
    if (piece < 0 || (piece == 0 && call.shape(0)[dim] != 0)) return invalid_step("split_size must be positive");
    return views_of(pieces(call.layout(0), dim, piece));
  });
}

/// An empty dimension gives `chunks` empty pieces, another may give fewer than asked.
Shaped chunk(const Call& call) {
  return with_dim(call, 2, [&](std::int64_t dim) {
    const std::int64_t chunks = call.args.integer(1), size = call.shape(0)[dim];
    if (chunks <= 0 || chunks > std::int64_t{1} << 20) return invalid_step("chunks must be positive and within 2^20");
    if (size == 0) return views_of(std::vector<Layout>(static_cast<std::size_t>(chunks), call.layout(0)));
    return views_of(pieces(call.layout(0), dim, (size + chunks - 1) / chunks));
  });
}

Shaped unbind(const Call& call) {
  return with_dim(call, 1, [&](std::int64_t dim) {
    if (call.shape(0)[dim] == 0) return invalid_step("unbind of an empty dimension has no results");
    std::vector<Layout> each;
    for (std::int64_t i = 0; i < call.shape(0)[dim]; ++i) each.push_back(selected(call.layout(0), dim, i));
    return views_of(std::move(each));
  });
}

Shaped detach(const Call& call) { return view_of(call.layout(0)); }

}  // namespace gradsmith::ops::view_shapes
