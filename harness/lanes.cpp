#include "harness/lanes.hpp"

#include <algorithm>

#include "harness/compare.hpp"

namespace gradsmith {
namespace {

std::uint64_t splitmix(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

struct NoiseTable {
  Lanes::Vec factors[4096], dual[4096];  // of duals lane 2 is plain as well
  explicit NoiseTable(double roundoff) {
    std::uint64_t state = 20260101;
    for (auto& f : factors) {
      f[0] = 1;
      for (int lane = 1; lane < lane_count; ++lane)
        f[lane] = 1 + Noise::units * roundoff * (2 * static_cast<double>(splitmix(state) >> 11) * 0x1p-53 - 1);
    }
    for (int i = 0; i < 4096; ++i) dual[i] = Lanes::Vec{1, factors[i][1], 1, factors[i][3]};
  }
};

const Lanes::Vec* noise_table(DType dtype) {
  static const NoiseTable wide(unit_roundoff(DType::f64)), narrow(unit_roundoff(DType::f32));
  const NoiseTable& table = dtype == DType::f64 ? wide : narrow;
  return Duals::on() ? table.dual : table.factors;
}

}  // namespace

thread_local std::uint32_t Noise::at_ = 0;
thread_local const Lanes::Vec* Noise::table_ = noise_table(DType::f64);
thread_local DType Noise::computing_ = DType::f64;
thread_local DType Noise::storage_ = DType::f64;
thread_local bool Noise::narrow_ = false;

void Noise::restart(std::uint64_t start, DType dtype) {
  reach_ = start == 0 ? 1 : Tolerance{}.k;
  at_ = static_cast<std::uint32_t>(splitmix(start));
  table_ = noise_table(dtype);
  computing_ = storage_ = dtype;
  narrow_ = dtype != DType::f64;
  normal_ = range_of(narrow_ ? DType::f32 : DType::f64).normal;
}

void Noise::work_in(DType computing, DType storage) {
  if (computing != computing_) {
    table_ = noise_table(computing);
    normal_ = range_of(computing == DType::f64 ? DType::f64 : DType::f32).normal;
  }
  computing_ = computing;
  storage_ = storage;
}

Lanes noisy_subnormal(const Lanes::Vec& v) {
  const double u = Noise::roundoff();
  const double least = range_of(Noise::computing() == DType::f64 ? DType::f64 : DType::f32).least;
  const Lanes::Vec factors = Noise::next();
  Lanes out(v);
  for (int lane = 0; lane < lane_count; ++lane) {
    const double draw = (factors[lane] - 1) / (Noise::units * u);  // in (-1, 1); 0 in the plain lanes
    if (draw == 0) continue;
    if (!(std::fabs(v[lane]) < Noise::normal())) {  // this replica is elsewhere: infinite, where the plain lane is not 0
      out.v[lane] *= factors[lane];
      continue;
    }
    const double moved = std::max(std::fabs(v[lane]) + std::round(4 * draw - 2) * least, 0.0);
    out.v[lane] = std::copysign(draw < 0 ? 0.0 : moved, v[lane]);
  }
  return out;
}

namespace detail {

// Both terms of a rule round before they are added: where they cancel, their rounding is what is left.
Lanes dual_product(const Lanes& a, const Lanes& b) {
  const Lanes first =
      noisy(Lanes::Vec{a.v[0] * b.v[0], a.v[1] * b.v[1], carried(b.v[0], a.v[2]), carried(b.v[1], a.v[3])});
  const Lanes second = noisy(Lanes::Vec{-0.0, -0.0, carried(a.v[0], b.v[2]), carried(a.v[1], b.v[3])});
  return first + second;
}

Lanes dual_quotient(const Lanes& a, const Lanes& b) {
  const double r = a.v[0] / b.v[0], s = a.v[1] / b.v[1];
  const Lanes first = noisy(Lanes::Vec{r, s, carried(1 / b.v[0], a.v[2]), carried(1 / b.v[1], a.v[3])});
  const Lanes second = noisy(Lanes::Vec{0, 0, carried(r / b.v[0], b.v[2]), carried(s / b.v[1], b.v[3])});
  return first - second;
}

}  // namespace detail

namespace {

/// Applies a function of one number to each lane and perturbs the result. `slope(x)` is its derivative at x.
template <class F, class Slope>
Lanes each(const Lanes& a, F f, Slope slope) {
  if (!Duals::on()) return noisy(Lanes::Vec{f(a.v[0]), f(a.v[1]), f(a.v[2]), f(a.v[3])});
  const double r = f(a.v[0]), s = f(a.v[1]);
  return noisy(Lanes::Vec{r, s, detail::carried(slope(a.v[0]), a.v[2]), detail::carried(slope(a.v[1]), a.v[3])});
}
/// The same for two numbers; slopes are `(x, y, f(x, y))`.
template <class F, class SlopeA, class SlopeB>
Lanes each(const Lanes& a, const Lanes& b, F f, SlopeA slope_a, SlopeB slope_b) {
  if (!Duals::on())
    return noisy(Lanes::Vec{f(a.v[0], b.v[0]), f(a.v[1], b.v[1]), f(a.v[2], b.v[2]), f(a.v[3], b.v[3])});
  const double r = f(a.v[0], b.v[0]), s = f(a.v[1], b.v[1]);
  const Lanes by_a = noisy(Lanes::Vec{r, s, detail::carried(slope_a(a.v[0], b.v[0], r), a.v[2]),
                                      detail::carried(slope_a(a.v[1], b.v[1], s), a.v[3])});
  const Lanes by_b = noisy(Lanes::Vec{-0.0, -0.0, detail::carried(slope_b(a.v[0], b.v[0], r), b.v[2]),
                                      detail::carried(slope_b(a.v[1], b.v[1], s), b.v[3])});
  return by_a + by_b;
}

/// As `each`, for what LibTorch derives from the saved result: the slope sees the result with its rounding
/// (numerics.md 3.3).
template <class F, class Slope>
Lanes from_result(const Lanes& a, F f, Slope slope) {
  if (!Duals::on()) return noisy(Lanes::Vec{f(a.v[0]), f(a.v[1]), f(a.v[2]), f(a.v[3])});
  const Lanes r = noisy(Lanes::Vec{f(a.v[0]), f(a.v[1]), 0, 0});
  const Lanes moved =
      noisy(Lanes::Vec{0, 0, detail::carried(slope(r.v[0]), a.v[2]), detail::carried(slope(r.v[1]), a.v[3])});
  return r.with_tangents_of(moved);
}

}  // namespace

Lanes exp(const Lanes& x) {
  return from_result(
      x, [](double t) { return std::exp(t); }, [](double r) { return r; });
}
Lanes exp2(const Lanes& x) {
  return from_result(
      x, [](double t) { return std::exp2(t); }, [](double r) { return r * 0.6931471805599453; });
}
Lanes expm1(const Lanes& x) {
  return from_result(
      x, [](double t) { return std::expm1(t); }, [](double r) { return r + 1; });
}
Lanes log(const Lanes& x) {
  return each(
      x, [](double t) { return std::log(t); }, [](double t) { return 1 / t; });
}
Lanes log1p(const Lanes& x) {
  return each(
      x, [](double t) { return std::log1p(t); }, [](double t) { return 1 / (t + 1); });
}
Lanes log2(const Lanes& x) {
  return each(
      x, [](double t) { return std::log2(t); }, [](double t) { return 1 / (t * 0.6931471805599453); });
}
Lanes sqrt(const Lanes& x) {
  return from_result(
      x, [](double t) { return std::sqrt(t); }, [](double r) { return 0.5 / r; });
}
Lanes rsqrt(const Lanes& x) {
  return from_result(
      x, [](double t) { return 1 / std::sqrt(t); }, [](double r) { return -0.5 * r * r * r; });
}
Lanes sin(const Lanes& x) {
  return each(
      x, [](double t) { return std::sin(t); }, [](double t) { return std::cos(t); });
}
Lanes cos(const Lanes& x) {
  return each(
      x, [](double t) { return std::cos(t); }, [](double t) { return -std::sin(t); });
}
Lanes tan(const Lanes& x) {
  return from_result(
      x, [](double t) { return std::tan(t); }, [](double r) { return 1 + r * r; });
}
Lanes sinh(const Lanes& x) {
  return each(
      x, [](double t) { return std::sinh(t); }, [](double t) { return std::cosh(t); });
}
Lanes cosh(const Lanes& x) {
  return each(
      x, [](double t) { return std::cosh(t); }, [](double t) { return std::sinh(t); });
}
Lanes asinh(const Lanes& x) {
  return each(
      x, [](double t) { return std::asinh(t); }, [](double t) { return 1 / std::sqrt(t * t + 1); });
}
Lanes atan(const Lanes& x) {
  return each(
      x, [](double t) { return std::atan(t); }, [](double t) { return 1 / (t * t + 1); });
}
Lanes tanh(const Lanes& x) {
  return from_result(
      x, [](double t) { return std::tanh(t); }, [](double r) { return 1 - r * r; });
}
Lanes erf(const Lanes& x) {
  return each(
      x, [](double t) { return std::erf(t); },
      [](double t) { return 1.1283791670955126 * std::exp(-t * t); });  // 2/sqrt(pi)
}
Lanes abs(const Lanes& x) {
  return each(
      x, [](double t) { return std::fabs(t); }, [](double t) { return t > 0   ? 1.0
                                                                      : t < 0 ? -1.0
                                                                              : 0.0; });
}
Lanes sigmoid(const Lanes& x) {
  const Lanes r = Lanes(1.0) / (Lanes(1.0) + exp(-x));
  if (!Duals::on()) return r;
  const Lanes slope = ((Lanes(1.0) - r) * r).with_tangents_of({});
  return r.with_tangents_of(slope * x);
}
Lanes pow(const Lanes& base, const Lanes& exponent) {
  return each(
      base, exponent, [](double x, double y) { return std::pow(x, y); },
      [](double x, double y, double) { return y == 0 ? 0 : y * std::pow(x, y - 1); },
      [](double x, double, double r) { return r == 0 ? 0 : r * std::log(x); });
}

}  // namespace gradsmith
