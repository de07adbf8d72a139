// Passes over inputs' shapes and layouts: extents to 1 or smaller, dimensions dropped, strides and offsets dropped,
// dtype.
#include <algorithm>
#include <array>
#include <numeric>

#include "harness/op.hpp"
#include "harness/reduce_edit.hpp"
#include "harness/retype.hpp"

namespace gradsmith::reducing {
namespace {

/// Keeps `length` positions of one dimension from `start` on; `remove` (of length 1) drops the dimension.
struct Cut {
  std::size_t dim;
  std::int64_t start, length;
  bool remove = false;
};

void apply(Input& input, const Cut& cut) {
  Shape shape = input.shape;
  shape[cut.dim] = cut.length;
  const std::int64_t count = element_count(shape);
  const bool grows = cut.length > input.shape[cut.dim];
  if (grows) {
    input.values = Spec{};
  } else if (input.values.kind == Spec::Kind::list || count <= longest_list) {
    // Values stay with their positions, so that the one that matters can be kept.
    const std::vector<double> before = element_values(input);
    const Shape strides = contiguous_layout(input.shape).strides;
    std::vector<double> kept;
    for (std::int64_t position : storage_positions({shape, strides, cut.start * strides[cut.dim]}))
      kept.push_back(before[position]);
    input.values = Spec{.kind = Spec::Kind::list, .list = std::move(kept)};
    if (count == 0) input.values = Spec{};
  }
  const auto at = static_cast<std::ptrdiff_t>(cut.dim);
  if (cut.remove) {
    shape.erase(shape.begin() + at);
    if (input.strides) input.strides->erase(input.strides->begin() + at);
    if (shape.empty()) input.strides.reset();
  }
  input.shape = std::move(shape);
}

std::vector<std::size_t> inputs_of(const Chain& chain) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < chain.statements.size(); ++i)
    if (std::holds_alternative<Input>(chain.statements[i])) out.push_back(i);
  return out;
}

/// Extents of all inputs, largest first, each once.
std::vector<std::int64_t> extents(const Chain& chain) {
  std::vector<std::int64_t> out;
  for (const std::size_t i : inputs_of(chain))
    for (const std::int64_t extent : std::get<Input>(chain.statements[i]).shape) out.push_back(extent);
  std::sort(out.rbegin(), out.rend());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

/// Windows to keep of an extent: one position (any of the first 16), two, half, one less.
std::vector<std::pair<std::int64_t, std::int64_t>> windows(std::int64_t extent) {
  std::vector<std::pair<std::int64_t, std::int64_t>> out;
  if (extent == 1) return out;
  if (extent == 0) return {{0, 1}};
  for (std::int64_t start = 0; start < std::min<std::int64_t>(extent, 16); ++start) out.emplace_back(start, 1);
  for (const std::int64_t length : {std::int64_t{2}, extent / 2, extent - 1})
    if (length > 1 && length < extent)
      for (const std::int64_t start : {std::int64_t{0}, extent - length}) out.emplace_back(start, length);
  return out;
}

/// `size` lists that name `from` name `to` instead.
void resize_attributes(Chain& chain, std::int64_t from, std::int64_t to) {
  for (Statement& statement : chain.statements)
    if (auto* step = std::get_if<Step>(&statement))
      for (std::size_t k = 0; k < step->args.size(); ++k)
        if (auto* list = std::get_if<std::vector<double>>(&step->args[k]); list && step->op->params[k].name == "size")
          std::replace(list->begin(), list->end(), static_cast<double>(from), static_cast<double>(to));
}

/// All inputs to one element, without dimensions.
void flatten_all(const Chain& chain, Offer& offer) {
  for (const bool last : {false, true}) {
    Chain flat = chain;
    for (const std::size_t i : inputs_of(flat)) {
      auto& input = std::get<Input>(flat.statements[i]);
      while (!input.shape.empty())
        apply(input, {input.shape.size() - 1, last ? std::max<std::int64_t>(input.shape.back() - 1, 0) : 0, 1, true});
    }
    if (offer.mended(std::move(flat))) return;
  }
}

/// Equal extents shrink together in all inputs, and in attributes that name them; then each by itself.
void shrink_extents(const Chain& chain, Offer& offer) {
  const auto inputs = inputs_of(chain);
  for (const std::int64_t extent : extents(chain))
    for (const auto& [start, length] : windows(extent))
      for (const bool attributes : {true, false}) {
        Chain less = chain;
        for (const std::size_t i : inputs) {
          auto& input = std::get<Input>(less.statements[i]);
          for (std::size_t dim = 0; dim < input.shape.size(); ++dim)
            if (input.shape[dim] == extent) apply(input, {dim, start, length});
        }
        if (attributes) resize_attributes(less, extent, length);
        if (offer.mended(std::move(less))) return;
      }
  for (const std::size_t i : inputs) {
    const Shape shape = std::get<Input>(chain.statements[i]).shape;
    for (std::size_t dim = 0; dim < shape.size(); ++dim)
      for (const auto& [start, length] : windows(shape[dim]))
        for (const bool attributes : {true, false}) {
          Chain less = chain;
          apply(std::get<Input>(less.statements[i]), {dim, start, length});
          if (attributes) resize_attributes(less, shape[dim], length);
          if (offer.mended(std::move(less))) return;
        }
  }
}

/// A dimension goes from all inputs that have it (counted from the right, as broadcasting does); then from single
/// inputs.
void drop_dimensions(const Chain& chain, Offer& offer) {
  const auto inputs = inputs_of(chain);
  std::size_t rank = 0;
  for (const std::size_t i : inputs) rank = std::max(rank, std::get<Input>(chain.statements[i]).shape.size());
  for (std::size_t from_right = rank; from_right > 0; --from_right)
    for (const bool last : {false, true}) {
      Chain less = chain;
      for (const std::size_t i : inputs) {
        auto& input = std::get<Input>(less.statements[i]);
        if (input.shape.size() < from_right) continue;
        const std::size_t dim = input.shape.size() - from_right;
        apply(input, {dim, last ? std::max<std::int64_t>(input.shape[dim] - 1, 0) : 0, 1, true});
      }
      if (offer.mended(std::move(less))) return;
    }
  for (const std::size_t i : inputs) {
    const Shape shape = std::get<Input>(chain.statements[i]).shape;
    for (std::size_t dim = 0; dim < shape.size(); ++dim)
      for (const bool last : {false, true}) {
        Chain less = chain;
        apply(std::get<Input>(less.statements[i]),
              {dim, last ? std::max<std::int64_t>(shape[dim] - 1, 0) : 0, 1, true});
        if (offer.mended(std::move(less))) return;
      }
  }
}

/// As many elements in one dimension: all inputs of a shape together, then singly.
void flatten_shapes(const Chain& chain, Offer& offer) {
  const auto inputs = inputs_of(chain);
  const auto flattens = [](const Input& input) { return input.shape.size() > 1 && !input.strides; };
  for (const bool together : {true, false})
    for (const std::size_t i : inputs) {
      const Shape shape = std::get<Input>(chain.statements[i]).shape;
      Chain less = chain;
      for (const std::size_t k : inputs) {
        auto& input = std::get<Input>(less.statements[k]);
        if (flattens(input) && (together ? input.shape == shape : k == i)) input.shape = {element_count(shape)};
      }
      if (offer.mended(std::move(less))) return;
    }
}

/// Contiguous at offset 0; else the strides of the same order without gaps; else single strides and offsets smaller.
void simplify_layout(const Chain& chain, Offer& offer) {
  for (const std::size_t i : inputs_of(chain)) {
    const auto& input = std::get<Input>(chain.statements[i]);
    if (!input.strides && input.offset == 0) continue;
    const auto with = [&](std::optional<Shape> strides, std::int64_t offset) {
      Chain less = chain;
      auto& changed = std::get<Input>(less.statements[i]);
      // A list keeps its values where they are; a generator's repeated cells stay as the layout says.
      changed.strides = std::move(strides);
      changed.offset = offset;
      return offer(less);
    };
    if (with(std::nullopt, 0) || with(std::nullopt, input.offset) || with(input.strides, 0)) return;
    if (input.offset > 1 && (with(input.strides, 1) || with(input.strides, input.offset / 2))) return;
    if (!input.strides) continue;
    std::vector<std::size_t> order(input.shape.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](auto a, auto b) { return (*input.strides)[a] < (*input.strides)[b]; });
    Shape dense(input.shape.size());
    std::int64_t next = 1;
    for (const std::size_t dim : order) {
      if ((*input.strides)[dim] == 0) continue;
      dense[dim] = next;
      next *= std::max<std::int64_t>(input.shape[dim], 1);
    }
    if (with(dense, 0) || with(dense, input.offset)) return;
    for (std::size_t dim = 0; dim < input.shape.size(); ++dim)
      for (const std::int64_t stride : {std::int64_t{0}, std::int64_t{1}, std::int64_t{2}}) {
        Shape strides = *input.strides;
        strides[dim] = stride;
        if (with(strides, input.offset)) return;
      }
  }
}

/// All floating tensors get one type, the widest that will do; else inputs become f64 singly.
void widen_dtypes(const Chain& chain, Offer& offer) {
  if (offer(in_type(chain, DType::f64))) return;
  const auto types = types_of(chain);
  for (const DType type : types)
    if (types.size() > 1 && offer(in_type(chain, type))) return;
  for (const std::size_t i : inputs_of(chain)) {
    Chain one = chain;
    std::get<Input>(one.statements[i]).dtype = DType::f64;
    if (offer(one)) return;
  }
}

constexpr std::array<Pass, 6> list{{
    {"flatten all", pass<flatten_all>},
    {"shrink extents", pass<shrink_extents>},
    {"drop dimensions", pass<drop_dimensions>},
    {"flatten shapes", pass<flatten_shapes>},
    {"simplify layout", pass<simplify_layout>},
    {"widen dtypes", pass<widen_dtypes>},
}};

}  // namespace

std::span<const Pass> shape_passes() { return list; }

}  // namespace gradsmith::reducing
