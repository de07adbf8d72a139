// Inputs: shapes, layouts and values.
#include <algorithm>
#include <array>

#include "harness/generator.hpp"

namespace gradsmith {
namespace {

constexpr std::array<std::int64_t, 9> vector_widths = {0, 1, 7, 8, 9, 15, 16, 17, 33};
constexpr std::size_t input_limit = 6;

Shape row_major(const Shape& shape) { return contiguous_layout(shape).strides; }

}  // namespace

Shape Generator::fresh_shape() {
  constexpr std::array<unsigned, 4> ranks = {8, 27, 40, 25};
  Shape shape(choices_.weighted(ranks));
  std::int64_t room = knobs_.max_elements;
  for (auto& size : shape) {
    size = choices_.chance(2) ? 0 : choices_.between(1, std::max<std::int64_t>(1, std::min<std::int64_t>(5, room)));
    room /= std::max<std::int64_t>(size, 1);
  }
  return shape;
}

/// The same shape, or one that broadcasts with it, or a fresh one.
Shape Generator::related_shape(const Shape& shape) {
  constexpr std::array<unsigned, 3> kinds = {45, 35, 20};
  switch (choices_.weighted(kinds)) {
    case 0: return shape;
    case 1: {
      Shape out(shape.begin() + static_cast<std::ptrdiff_t>(choices_.below(shape.size() + 1)), shape.end());
      for (auto& size : out)
        if (choices_.chance(30)) size = 1;
      return out;
    }
    default: return fresh_shape();
  }
}

Spec Generator::values(const Interval& interval) {
  const auto seed = choices_.below(1 << 16);
  constexpr double wide = 100;  // beyond this an interval counts as unbounded
  if (interval.lo > -wide || interval.hi < wide || interval.apart > 0) {
    const double lo = std::max(interval.apart > 0 ? interval.apart * 1.25 + 0.25 : -3.0, interval.lo);
    const double hi = std::min(std::max(lo + 1, 2.0), interval.hi);
    // A little inside, so that rounding leads out of no open interval.
    const double margin = (hi - lo) / 16;
    return {.kind = Spec::Kind::uniform, .seed = seed, .lo = lo + margin, .hi = hi - margin};
  }
  constexpr std::array<unsigned, 7> kinds = {34, 36, 10, 6, 5, 5, 4};
  constexpr std::array<std::array<double, 2>, 7> ranges = {
      {{0.5, 2}, {0, 0}, {-2, 2}, {-1, 1}, {-5, 5}, {0, 1}, {-0.875, 0.875}}};
  const auto kind = choices_.weighted(kinds);
  if (kind == 1) return {.kind = Spec::Kind::normal, .seed = seed};
  return {.kind = Spec::Kind::uniform, .seed = seed, .lo = ranges[kind][0], .hi = ranges[kind][1]};
}

/// Strides and offset of the 30 % that are not contiguous.
void Generator::layout(Input& input) {
  const Shape& shape = input.shape;
  if (element_count(shape) == 0) return;
  Shape strides = row_major(shape);
  switch (choices_.below(4)) {
    case 0:  // permuted
      if (shape.size() < 2) {
        input.offset = 1;
      } else {
        std::vector<std::size_t> order(shape.size());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
        for (std::size_t i = order.size(); i-- > 1;) std::swap(order[i], order[choices_.below(i + 1)]);
        std::int64_t stride = 1;
        for (const auto dim : order) {
          strides[dim] = stride;
          stride *= shape[dim];
        }
      }
      break;
    case 1:  // expanded
      if (!shape.empty()) {
        const auto dim = choices_.below(shape.size());
        Shape kept = shape;
        kept[dim] = 1;
        strides = row_major(kept);
        strides[dim] = 0;
      }
      break;
    case 2:  // gaps
      for (auto& stride : strides) stride *= 2;
      input.offset = choices_.between(0, 1);
      break;
    default: input.offset = choices_.between(1, 3); break;
  }
  if (strides != row_major(shape)) input.strides = strides;
}

/// In a mixed chain half of the inputs have the type of the one before.
DType Generator::input_type() {
  if (!knobs_.mixed) return knobs_.dtype;
  if (choices_.chance(50))
    for (auto at = draft_.chain().statements.rbegin(); at != draft_.chain().statements.rend(); ++at)
      if (const auto* input = std::get_if<Input>(&*at); input && is_floating(input->dtype)) return input->dtype;
  constexpr std::array<DType, 4> types = {DType::f64, DType::f32, DType::bf16, DType::f16};
  constexpr std::array<unsigned, 4> weights = {30, 30, 20, 20};
  return types[choices_.weighted(weights)];
}

Input Generator::input(const Shape& shape, const Interval& interval) {
  Input out;
  out.name = draft_.name_input();
  out.dtype = input_type();
  out.shape = shape;
  out.requires_grad = choices_.chance(75);
  out.values = values(interval);
  if (choices_.chance(30)) layout(out);
  return out;
}

void Generator::inputs() {
  constexpr std::array<unsigned, 3> counts = {30, 45, 25};
  const auto count = choices_.weighted(counts) + 1;
  const bool widths = choices_.chance(5);
  bool graded = false;
  Shape first;
  for (std::size_t i = 0; i < count; ++i) {
    Shape shape;
    if (i > 0) {
      shape = related_shape(first);
    } else if (widths) {
      shape = {choices_.pick(vector_widths)};
      if (choices_.chance(25)) shape.push_back(1);
    } else {
      shape = fresh_shape();
    }
    if (i == 0) first = shape;
    Input next = input(shape, {});
    if (choices_.chance(knobs_.edges)) {
      next.values = {.kind = Spec::Kind::edges, .seed = next.values.seed};
      edges_ = true;
    }
    if (i + 1 == count && !graded && choices_.chance(95)) next.requires_grad = true;
    graded |= next.requires_grad;
    draft_.put(next);
  }
}

std::optional<Value> Generator::extra_input(const Shape& shape, const Interval& interval) {
  if (!draft_.grad_mode()) return std::nullopt;
  std::size_t inputs = 0;
  for (const auto& statement : draft_.chain().statements) inputs += std::holds_alternative<Input>(statement);
  if (inputs >= input_limit || element_count(shape) > 4 * knobs_.max_elements) return std::nullopt;
  Input made = input(shape, interval);
  if (draft_.put(made) != Fate::fine) return std::nullopt;
  return made.name;
}

std::optional<Value> Generator::extra_mask(const Shape& shape) {
  if (!draft_.grad_mode() || element_count(shape) > 4 * knobs_.max_elements) return std::nullopt;
  Input made;
  made.name = draft_.name_input();
  made.dtype = DType::boolean;
  made.shape = shape;
  if (choices_.chance(25))
    for (auto& size : made.shape)
      if (choices_.chance(40)) size = 1;
  made.values.kind = Spec::Kind::list;
  std::uint64_t bits = 0;
  for (std::int64_t i = 0, count = element_count(made.shape); i < count; ++i) {
    if (i % 32 == 0) bits = choices_.below(std::uint64_t{1} << 32);
    made.values.list.push_back(static_cast<double>(bits >> (i % 32) & 1));
  }
  if (draft_.put(made) != Fate::fine) return std::nullopt;
  return made.name;
}

}  // namespace gradsmith
