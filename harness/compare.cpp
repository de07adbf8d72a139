#include "harness/compare.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace gradsmith {

namespace {

/// The tolerance's unit at each element: what rounding can do there.
class Units {
 public:
  Units(const Spread& expected, double u, const Tolerance& tolerance) : expected_(expected), u_(u), tolerance_(tolerance) {
    for (const double g : expected.value)
      if (std::isfinite(g)) largest_ = std::max(largest_, std::abs(g));
  }
  double at(std::size_t i) const {
    const double smallest = tolerance_.least_floor * expected_.least;
    const double e = std::abs(expected_.value[i]);
    // u first: the numbers may be as large as the type's.
    return expected_.spread[i] + u_ * tolerance_.relative_floor * e + u_ * tolerance_.global_floor * largest_ + smallest;
  }

 private:
  const Spread& expected_;
  double u_, largest_ = 0;
  const Tolerance& tolerance_;
};

}  // namespace

double roundoff_of(const Spread& expected) {
  return unit_roundoff(is_floating(expected.dtype) ? expected.dtype : DType::f64);
}

std::vector<double> tolerances(const Spread& expected, double u, const Tolerance& tolerance) {
  const Units units(expected, u, tolerance);
  std::vector<double> out;
  for (std::size_t i = 0; i < expected.value.size(); ++i) {
    const double any = std::numeric_limits<double>::infinity(), unit = units.at(i);
    if (!std::isfinite(expected.value[i]))
      out.push_back(expected.spread[i] != 0 ? any : 0);
    else
      out.push_back(std::isnan(unit) ? any : tolerance.k * unit);
  }
  return out;
}

Departure compare(const std::vector<double>& observed, const Spread& expected, double u, const Tolerance& tolerance) {
  const Units units(expected, u, tolerance);
  Departure worst;
  for (std::size_t i = 0; i < observed.size(); ++i) {
    const double o = observed[i], e = expected.value[i];
    double ratio = 0;
    if (!std::isfinite(e) || !std::isfinite(o)) {
      const bool same_kind = std::isnan(e) ? std::isnan(o) : o == e;
      // Total cancellation upstream (1e300 - 1e300), or a 0 of either sign, makes anything of a quotient: the replicas are
      // scattered then.
      const double spread = expected.spread[i];
      const double narrow = std::max(0.01, 64 * u) * std::abs(e) + 64 * expected.least;
      const bool scattered = spread != 0 && (!std::isfinite(e) || !(spread < narrow));
      ratio = same_kind || scattered ? 0 : std::numeric_limits<double>::infinity();
    } else if (o != e) {
      const double unit = units.at(i);
      ratio = std::abs(o - e) / unit;
      if (std::isnan(unit) || std::isinf(unit)) ratio = 0;  // a replica left the numbers: this element cannot be judged
    }
    if (!(ratio <= worst.ratio)) worst = {ratio, i, o, e};
  }
  return worst;
}

Departure compare_derivatives(const std::optional<Array>& observed, const Spread& expected) {
  std::vector<double> data = observed ? observed->data : std::vector<double>(expected.value.size());
  for (std::size_t e = 0; e < data.size(); ++e)
    if (std::abs(data[e]) < underflowing && std::abs(expected.value[e]) < underflowing) data[e] = expected.value[e];
  return compare(data, expected, unit_roundoff(DType::f64));
}

std::ptrdiff_t first_bit_difference(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (std::bit_cast<std::uint64_t>(a[i]) != std::bit_cast<std::uint64_t>(b[i]) && !(std::isnan(a[i]) && std::isnan(b[i])))
      return static_cast<std::ptrdiff_t>(i);
  return -1;
}

}  // namespace gradsmith
