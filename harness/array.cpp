#include "harness/array.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <limits>

namespace gradsmith {
namespace {

/// `value` rounded to nearest even with `digits` binary digits in this range, infinite beyond it.
double round_binary(double value, int digits, const Range& range) {
  if (value == 0 || !std::isfinite(value)) return value;
  double rounded;
  if (std::fabs(value) >= range.normal) {  // on the bits: the exponent follows where the digits overflow
    const int cut = std::numeric_limits<double>::digits - digits;
    const auto bits = std::bit_cast<std::uint64_t>(value);
    const std::uint64_t half = (std::uint64_t{1} << (cut - 1)) - 1 + (bits >> cut & 1);
    rounded = std::bit_cast<double>((bits + half) >> cut << cut);
  } else {
    rounded = std::nearbyint(value / range.least) * range.least;  // a power of two: both exact
  }
  return std::fabs(rounded) > range.largest ? std::copysign(std::numeric_limits<double>::infinity(), value) : rounded;
}

}  // namespace

std::string_view dtype_name(DType dtype) {
  switch (dtype) {
    case DType::f64:
      return "f64";
    case DType::f32:
      return "f32";
    case DType::bf16:
      return "bf16";
    case DType::f16:
      return "f16";
    case DType::i64:
      return "i64";
    case DType::boolean:
      return "bool";
  }
  return "?";
}

bool is_floating(DType dtype) { return dtype != DType::i64 && dtype != DType::boolean; }

double unit_roundoff(DType dtype) {
  switch (dtype) {
    case DType::f64:
      return 0x1p-53;
    case DType::f32:
      return 0x1p-24;
    case DType::bf16:
      return 0x1p-8;
    case DType::f16:
      return 0x1p-11;
    case DType::i64:
    case DType::boolean:
      return 0;
  }
  return 0;
}

std::int64_t element_bytes(DType dtype) {
  switch (dtype) {
    case DType::f64:
    case DType::i64: return 8;
    case DType::f32: return 4;
    case DType::bf16:
    case DType::f16: return 2;
    case DType::boolean: return 1;
  }
  return 8;
}

Range range_of(DType dtype) {
  switch (dtype) {
    case DType::f32: return {0x1.fffffep127, 0x1p-126, 0x1p-149};
    case DType::bf16: return {0x1.fep127, 0x1p-126, 0x1p-133};
    case DType::f16: return {0x1.ffcp15, 0x1p-14, 0x1p-24};
    default: return {std::numeric_limits<double>::max(), 0x1p-1022, 0x1p-1074};
  }
}

double round_to(DType dtype, double value) {
  switch (dtype) {
    case DType::f64:
      return value;
    case DType::f32:
      return static_cast<float>(value);
    case DType::bf16:
      return round_binary(value, 8, range_of(dtype));
    case DType::f16:
      return round_binary(value, 11, range_of(dtype));
    case DType::i64:
      return std::nearbyint(value) + 0.0;  // no -0
    case DType::boolean:
      return value != 0 ? 1 : 0;
  }
  return value;
}

std::int64_t element_count(const Shape& shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  return count;
}

Layout contiguous_layout(const Shape& shape) {
  Layout layout{shape, Shape(shape.size()), 0};
  std::int64_t stride = 1;
  for (std::size_t d = shape.size(); d-- > 0;) {
    layout.strides[d] = stride;
    stride *= std::max<std::int64_t>(shape[d], 1);
  }
  return layout;
}

std::vector<std::int64_t> storage_positions(const Layout& layout) {
  const std::int64_t count = element_count(layout.shape);
  std::vector<std::int64_t> positions(static_cast<std::size_t>(count));
  Shape index(layout.shape.size(), 0);
  std::int64_t at = layout.offset;
  for (std::int64_t& position : positions) {
    position = at;
    for (std::size_t d = index.size(); d-- > 0;) {
      at += layout.strides[d];
      if (++index[d] < layout.shape[d]) break;
      at -= layout.strides[d] * layout.shape[d];
      index[d] = 0;
    }
  }
  return positions;
}

}  // namespace gradsmith
