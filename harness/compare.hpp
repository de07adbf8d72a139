// Compares observed numbers with expected ones, element by element, in units of what rounding can do. NaN fails unless it
// is expected. Plain arithmetic.
#pragma once

#include <cstddef>
#include <vector>

#include "harness/reference.hpp"

namespace gradsmith {

/// All tolerances, each with its reason (numerics.md, section 3.4).
struct Tolerance {
  double k = 16;                 ///< misses beyond k units are no rounding: correct programs end below 13 (885,113 of them)
  double relative_floor = 4;     ///< in u*|expected|: replicas of an exact operation do not move
  double global_floor = 0.1;     ///< in u*max|expected|: elements that cancel inherit rounding of the largest
  double least_floor = 8;        ///< in smallest numbers of the type: below them nothing can be told apart
  int more_replicas = 11;        ///< further passes of 3 replicas before a miss is believed
};
/// For one op of a 16-bit type by itself, on the very numbers that LibTorch gave it: besides what its replicas show, 2u is
/// between 1 and 2 ulp.
inline constexpr Tolerance one_op{.k = 1, .relative_floor = 2, .global_floor = 0, .least_floor = 2};
/// For its gradients, which formulas of up to four ops compute, each of them rounding to the type.
inline constexpr Tolerance one_backward{.k = 2, .relative_floor = 2, .global_floor = 0, .least_floor = 2};

/// Products of numbers below this, such as r^3, are 0 or subnormal.
inline constexpr double underflowing = 0x1p-340;

/// The element that departs most, and by how many units.
struct Departure {
  double ratio = 0;
  std::size_t element = 0;
  double observed = 0, expected = 0;
};

/// Unit roundoff of the tensor's type (of i64 and bool, which are exact, that of f64).
double roundoff_of(const Spread& expected);

/// Per element, how far an observed number may be from the expected one; infinity where it cannot be judged.
std::vector<double> tolerances(const Spread& expected, double u, const Tolerance& tolerance = {});

/// Largest departure of `observed` from `expected`; infinite where only one of the two is finite or where infinities
/// or NaN differ in kind. `u` is the unit roundoff of the computation.
Departure compare(const std::vector<double>& observed, const Spread& expected, double u, const Tolerance& tolerance = {});

/// The same in float64 for tangents and second derivatives; none observed means 0. Numbers so small on both sides that
/// products leave the range of doubles on the way to them (1 / t^2 at 1e300) count as equal.
Departure compare_derivatives(const std::optional<Array>& observed, const Spread& expected);

/// First element whose bits differ (NaNs are equal); -1 if none.
std::ptrdiff_t first_bit_difference(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace gradsmith
