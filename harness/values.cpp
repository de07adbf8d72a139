#include "harness/values.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>

namespace gradsmith {
namespace {

constexpr std::uint64_t golden = 0x9e3779b97f4a7c15u;

constexpr std::uint64_t finish(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}
/// One step of splitmix64 from state `x`.
constexpr std::uint64_t splitmix(std::uint64_t x) { return finish(x + golden); }

/// Centred sum of twelve 32-bit integers, two from each of six words that follow `word`: mean 0, variance 1, in [-6,
/// 6). The sum needs 36 bits, so every step is exact.
double normal_value(std::uint64_t word) {
  std::int64_t sum = 0;
  for (std::uint64_t k = 1; k <= 6; ++k) {
    const std::uint64_t bits = finish(word + k * golden);
    sum += static_cast<std::int64_t>(bits >> 32) + static_cast<std::int64_t>(bits & 0xffffffffu);
  }
  return static_cast<double>(sum - 6 * (std::int64_t{1} << 32)) * 0x1p-32;
}

double uniform_value(std::uint64_t word, double lo, double hi) {
  const double u = static_cast<double>(word >> 11) * 0x1p-53;
  volatile const double product = u * (hi - lo);  // volatile: rounded before the sum, never contracted to an fma
  return lo + product;
}

/// A floating type by what its neighbours depend on.
struct Format {
  int digits, lowest;
  double small, large;  // far from 1, but with room to multiply
};
Format format_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return {24, -126, 1e-30, 1e30};
    case DType::bf16:
      return {8, -126, 1e-30, 1e30};
    case DType::f16:
      return {11, -14, 1e-5, 6e4};
    default:
      return {53, -1022, 1e-30, 1e300};
  }
}

/// The next number of the format above `x` (below, if not `up`). Exact: all numbers of a format are doubles.
double neighbour(const Format& format, double x, bool up) {
  const int quantum = x == 0 ? format.lowest : std::max(std::ilogb(x), format.lowest);
  int exponent = quantum - (format.digits - 1);
  const bool towards_zero = x != 0 && (x > 0) != up;
  if (towards_zero && std::fabs(x) == std::ldexp(1.0, quantum) && quantum > format.lowest) --exponent;
  return x + std::ldexp(up ? 1.0 : -1.0, exponent);
}

/// Where activations have kinks or change formula.
constexpr std::array kinks{0.0, 1.0, -1.0, 3.0, -3.0, 6.0, -6.0, 0.5, -0.5, 20.0, -20.0};

std::vector<double> edge_table(DType dtype) {
  if (dtype == DType::i64) return {0, 1, -1, 2, -2, 3, -3, 6, -6, 7, 20, -20, 127, -128, 65536, -65536};
  const Format format = format_of(dtype);
  std::vector<double> table;
  for (const double kink : kinks)
    for (const double x : {kink, neighbour(format, kink, false), neighbour(format, kink, true)}) table.push_back(x);
  const double least = std::ldexp(1.0, format.lowest);
  for (const double x : {-0.0, least, -least, format.small, -format.small, format.large, -format.large})
    table.push_back(round_to(dtype, x));
  return table;
}

const std::vector<double>& edges_of(DType dtype) {
  static const std::array tables{edge_table(DType::f64), edge_table(DType::f32), edge_table(DType::bf16),
                                 edge_table(DType::f16), edge_table(DType::i64)};
  return tables[static_cast<std::size_t>(dtype)];
}

double drawn_value(const Spec& spec, DType dtype, std::uint64_t word) {
  if (dtype == DType::boolean) return static_cast<double>(word >> 63);
  switch (spec.kind) {
    case Spec::Kind::normal:
      return round_to(dtype, normal_value(word));
    case Spec::Kind::uniform: {
      const double value = uniform_value(word, spec.lo, spec.hi);
      return round_to(dtype, dtype == DType::i64 ? std::floor(value) : value);
    }
    case Spec::Kind::edges: {
      const auto& table = edges_of(dtype);
      return table[((word >> 32) * table.size()) >> 32];
    }
    case Spec::Kind::list:
      break;
  }
  std::abort();  // lists are not drawn
}

}  // namespace

std::uint64_t mix_bits(std::uint64_t seed, std::uint64_t stream, std::uint64_t counter) {
  return splitmix(splitmix(splitmix(seed) ^ stream) ^ counter);
}

std::vector<double> generate_values(const Spec& spec, DType dtype, std::int64_t count, std::uint64_t stream) {
  std::vector<double> values(static_cast<std::size_t>(count));
  if (spec.kind == Spec::Kind::list) {
    if (spec.list.size() != values.size()) std::abort();  // the parser has counted them
    std::transform(spec.list.begin(), spec.list.end(), values.begin(), [&](double x) { return round_to(dtype, x); });
    return values;
  }
  const std::uint64_t base = splitmix(splitmix(spec.seed) ^ stream);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = drawn_value(spec, dtype, splitmix(base ^ i));
  return values;
}

Layout input_layout(const Input& input) {
  Layout layout = contiguous_layout(input.shape);
  if (input.strides) layout.strides = *input.strides;
  layout.offset = input.offset;
  return layout;
}

std::vector<double> input_storage(const Input& input) {
  const std::vector<double> values = generate_values(input.values, input.dtype, element_count(input.shape));
  if (values.empty()) return {};
  if (!input.strides && input.offset == 0) return values;
  const std::vector<std::int64_t> positions = storage_positions(input_layout(input));
  std::vector<double> storage(static_cast<std::size_t>(*std::max_element(positions.begin(), positions.end())) + 1, 0.0);
  // Backwards: of the elements that share a cell the first one is written last.
  for (std::size_t i = positions.size(); i-- > 0;) storage[static_cast<std::size_t>(positions[i])] = values[i];
  return storage;
}

std::uint64_t direction_seed(const Input& input) {
  std::uint64_t seed = 0;
  for (const double x : input_storage(input)) seed = mix_bits(seed, 0, std::bit_cast<std::uint64_t>(x));
  return seed;
}

std::vector<std::vector<double>> cotangent_values(const Spec& spec, const std::vector<Shape>& roots,
                                                  const std::vector<DType>& types) {
  std::vector<std::vector<double>> values;
  auto next = spec.list.begin();
  for (std::size_t r = 0; r < roots.size(); ++r) {
    const std::int64_t count = element_count(roots[r]);
    if (spec.kind != Spec::Kind::list) {
      values.push_back(generate_values(spec, types[r], count, r + 1));
      continue;
    }
    if (spec.list.end() - next < count) std::abort();  // the parser has counted them
    Spec part{.kind = Spec::Kind::list, .list = {next, next + count}};
    next += count;
    values.push_back(generate_values(part, types[r], count));
  }
  return values;
}

}  // namespace gradsmith
