// Plain data that stands for tensors outside LibTorch: element types, shapes, layouts and arrays of doubles.
// Knows nothing of LibTorch, chains or ops.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace gradsmith {

/// Element types of the chain language, in the order of their spelling `f64 f32 bf16 f16 i64 bool`.
enum class DType : std::uint8_t { f64, f32, bf16, f16, i64, boolean };

/// Spelling in the chain language ("f64", ..., "bool").
std::string_view dtype_name(DType dtype);
/// True for the types that can require a gradient.
bool is_floating(DType dtype);
/// Unit roundoff of a floating type (half the distance from 1 to the next larger number); 0 for i64 and bool.
double unit_roundoff(DType dtype);
/// Bytes of one element in LibTorch's memory.
std::int64_t element_bytes(DType dtype);
/// The largest number of a floating type, the smallest that has all its digits, and the smallest of all.
struct Range {
  double largest, normal, least;
};
Range range_of(DType dtype);
/// `value` rounded to nearest even in `dtype`, as a double.
double round_to(DType dtype, double value);

using Shape = std::vector<std::int64_t>;

/// Number of elements of a shape; 1 for 0-dim.
std::int64_t element_count(const Shape& shape);

/// Where the elements of a tensor lie in its storage, in elements (not bytes).
struct Layout {
  Shape shape;
  Shape strides;
  std::int64_t offset = 0;
  bool operator==(const Layout&) const = default;
};

/// Row-major layout of `shape` with offset 0, LibTorch's default strides (a 0-sized dimension counts as 1).
Layout contiguous_layout(const Shape& shape);

/// Storage positions of all elements in row-major order of the shape.
std::vector<std::int64_t> storage_positions(const Layout& layout);

/// Values of one tensor, row-major, as doubles (i64 within 2^53, bool as 0 and 1).
struct Array {
  DType dtype = DType::f64;
  Shape shape;
  std::vector<double> data;
};

}  // namespace gradsmith
