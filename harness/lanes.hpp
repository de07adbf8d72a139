// Lanes: the number that the `reference` witness computes with, four doubles that go through the same arithmetic. Lane 0 is
// the plain double computation; lanes 1-3 are replicas whose every rounding is perturbed by up to 4u (numerics.md, section
// 3), so that their spread measures how much rounding can move a result. While Duals is on, the lanes are two dual numbers:
// values in 0 (plain) and 1 (a replica), their tangents in 2 and 3. Knows nothing of the tape, chains or LibTorch.
#pragma once

#include <cmath>
#include <cstdint>

#include "harness/array.hpp"

namespace gradsmith {

inline constexpr int lane_count = 4;

/// While one lives, all Lanes of this thread are duals. The Noise must be restarted after one is made.
class Duals {
 public:
  Duals() { on_ = true; }
  Duals(const Duals&) = delete;
  Duals& operator=(const Duals&) = delete;
  ~Duals() { on_ = false; }
  static bool on() { return on_; }
  /// Number of leading lanes that hold values.
  static int values() { return on_ ? 2 : lane_count; }

 private:
  static inline thread_local constinit bool on_ = false;
};

/// Four doubles; every operation perturbs all but the plain ones by the thread's Noise.
struct Lanes {
  typedef double Vec __attribute__((vector_size(32), aligned(16)));  // 16: what plain new gives
  Vec v;
  Lanes() : v{0, 0, 0, 0} {}
  Lanes(double x) : v{x, x, Duals::on() ? 0 : x, Duals::on() ? 0 : x} {}  // NOLINT: numbers are constants of the maths
  explicit Lanes(const Vec& w) : v(w) {}
  double exact() const { return v[0]; }
  /// The tangent of lane 0, while Duals is on.
  double tangent() const { return v[2]; }
  /// These values with other tangents (none: constants), while Duals is on; else as they are.
  Lanes with_tangents_of(const Lanes& other) const {
    return Duals::on() ? Lanes(Vec{v[0], v[1], other.v[2], other.v[3]}) : *this;
  }
  bool is_zero() const { return v[0] == 0 && v[1] == 0 && v[2] == 0 && v[3] == 0; }
};

/// Perturbation factors of one thread: plain lanes are exactly 1, others 1 + 4u*U(-1,1), from a fixed table per dtype. Kernels
/// of 16-bit types compute in float, so u is float's there, and what a tensor keeps is rounded once more (`stored`).
class Noise {
 public:
  /// Starts a stream for computations of a chain: equal `start` gives equal replicas, 0 those by which a chain is judged at
  /// first. `dtype` is the narrowest type of its floating tensors, and that of those at hand until `work_in` says otherwise.
  static void restart(std::uint64_t start, DType dtype = DType::f64);
  /// From here on operations are those of a kernel that computes in one type and leaves tensors of another.
  static void work_in(DType computing, DType storage);
  static const Lanes::Vec& next() { return table_[++at_ & mask_]; }
  /// Of plain lanes 0, of others U(-1, 1): for errors of the method, which are not relative. Not for duals.
  static Lanes::Vec stray() { return (next() - 1.0) / (units * roundoff()); }
  /// Type of the tensors at hand.
  static DType storage() { return storage_; }
  /// The type that the kernel at hand computes in, and the roundoff with which it does.
  static DType computing() { return computing_; }
  static double roundoff() { return unit_roundoff(computing_ == DType::f64 ? DType::f64 : DType::f32); }
  /// Smallest normal number of the computation: double's, or float's where kernels compute in float.
  static double normal() { return normal_; }
  /// How many times farther than the replicas at hand LibTorch may be: once for those of the start, as far as any number is
  /// let go (Tolerance::k) for those that are asked before a miss is believed.
  static double reach() { return reach_; }
  /// Some tensors of the chain hold less than a double.
  static bool narrow() { return narrow_; }

  /// Multiple of the unit roundoff that perturbs: 4u, so that in float64 a factor has seven levels on both sides
  /// (numerics.md 3.2).
  static constexpr double units = 4;

 private:
  static constexpr std::uint32_t mask_ = 4095;
  static thread_local std::uint32_t at_;
  static thread_local const Lanes::Vec* table_;
  static thread_local DType computing_, storage_;
  static thread_local bool narrow_;
  static inline thread_local constinit double normal_ = 0x1p-1022, reach_ = 1;
};

/// `x` rounded to the type of the tensors (tape_narrow.cpp).
Lanes round_stored(const Lanes& x);
/// What a tensor keeps of a result: `x` itself in float64, else rounded, infinite beyond the type's range. In the replicas
/// the rounding goes astray by up to 2u, and by 2 of the smallest numbers, unless it is exact. Maths says it of what LibTorch
/// derives from after it was kept (numerics.md 3.3), and of what a composite op keeps in between.
inline Lanes stored(const Lanes& x) { return Noise::narrow() ? round_stored(x) : x; }
/// What a backward of several ops keeps in between, for its next op. Beyond the type's range the number itself: where the
/// next op brings it back, that LibTorch's is infinite is a defect (corpus/known/rsqrt-large-half.chain).
inline Lanes stored_between(const Lanes& x) {
  Lanes out = stored(x);
  for (int lane = 0; lane < lane_count; ++lane)
    if (std::isinf(out.v[lane])) out.v[lane] = x.v[lane];
  return out;
}

/// A result below the normal numbers: kernels lose digits there, or give 0 (log1p of the smallest number does). Replicas do
/// either: they are 0, or off by up to 2 of the smallest numbers.
Lanes noisy_subnormal(const Lanes::Vec& v);

inline Lanes noisy(const Lanes::Vec& v) {
  if (const double size = std::fabs(v[0]); size < Noise::normal() && size != 0) [[unlikely]] return noisy_subnormal(v);
  return Lanes(v * Noise::next());
}
inline Lanes operator+(const Lanes& a, const Lanes& b) { return noisy(a.v + b.v); }
inline Lanes operator-(const Lanes& a, const Lanes& b) { return noisy(a.v - b.v); }
inline Lanes operator-(const Lanes& a) { return Lanes(-a.v); }

namespace detail {
Lanes dual_product(const Lanes& a, const Lanes& b);
Lanes dual_quotient(const Lanes& a, const Lanes& b);
/// `slope` times a tangent; where nothing moves, nothing comes, whatever the slope.
inline double carried(double slope, double tangent) { return tangent == 0 ? 0 : slope * tangent; }
}  // namespace detail

inline Lanes operator*(const Lanes& a, const Lanes& b) {
  return Duals::on() ? detail::dual_product(a, b) : noisy(a.v * b.v);
}
inline Lanes operator/(const Lanes& a, const Lanes& b) {
  return Duals::on() ? detail::dual_quotient(a, b) : noisy(a.v / b.v);
}

// Functions of the C library. On duals, those that LibTorch differentiates from their saved result (numerics.md 3.3) get
// their tangents from the perturbed result too.
Lanes exp(const Lanes& x);
Lanes exp2(const Lanes& x);
Lanes expm1(const Lanes& x);
Lanes log(const Lanes& x);
Lanes log1p(const Lanes& x);
Lanes log2(const Lanes& x);
Lanes sqrt(const Lanes& x);
Lanes rsqrt(const Lanes& x);
Lanes sin(const Lanes& x);
Lanes cos(const Lanes& x);
Lanes tan(const Lanes& x);
Lanes sinh(const Lanes& x);
Lanes cosh(const Lanes& x);
Lanes asinh(const Lanes& x);
Lanes atan(const Lanes& x);
Lanes tanh(const Lanes& x);
Lanes erf(const Lanes& x);
Lanes abs(const Lanes& x);
Lanes pow(const Lanes& base, const Lanes& exponent);
/// 1 / (1 + e^-x).
Lanes sigmoid(const Lanes& x);

}  // namespace gradsmith
