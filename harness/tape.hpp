// The exact scalar tape of the `reference` witness: one node per scalar operation, each with four lanes. Lane 0 is the
// plain double computation; lanes 1-3 are replicas whose every rounding is perturbed by up to 4u (numerics.md, section 3),
// so that their spread measures how much rounding can move a result. Knows nothing of chains, ops or LibTorch.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "harness/array.hpp"

namespace gradsmith {

inline constexpr int lane_count = 4;

/// Four doubles that go through the same arithmetic; every operation perturbs lanes 1-3 by the thread's Noise.
struct Lanes {
  typedef double Vec __attribute__((vector_size(32), aligned(16)));  // 16: what plain new gives
  Vec v;
  Lanes() : v{0, 0, 0, 0} {}
  Lanes(double x) : v{x, x, x, x} {}  // NOLINT: numbers are constants of the maths
  explicit Lanes(const Vec& w) : v(w) {}
  double exact() const { return v[0]; }
};

/// Perturbation factors of one thread: lane 0 is exactly 1, others 1 + 4u*U(-1,1), from a fixed table per dtype. Kernels
/// of 16-bit types compute in float, so u is float's there, and what a tensor keeps is rounded once more (`stored`).
class Noise {
 public:
  /// Starts a stream for computations on tensors of `dtype`: equal `start` gives equal replicas.
  static void restart(std::uint64_t start, DType dtype = DType::f64);
  static const Lanes::Vec& next() { return table_[++at_ & mask_]; }
  /// Type of the tensors.
  static DType storage() { return storage_; }
  /// Tensors hold less than a double.
  static bool narrow() { return storage_ != DType::f64; }

 private:
  static constexpr std::uint32_t mask_ = 4095;
  static thread_local std::uint32_t at_;
  static thread_local const Lanes::Vec* table_;
  static thread_local DType storage_;
};

/// `x` rounded to the type of the tensors (tape_narrow.cpp).
Lanes round_stored(const Lanes& x);
/// What a tensor keeps of a result: `x` itself in float64, else rounded, infinite beyond the type's range. In the replicas
/// the rounding goes astray by up to 2u, and by 2 of the smallest numbers, unless it is exact. Maths says it of what LibTorch
/// derives from after it was kept (numerics.md 3.3), and of what a composite op keeps in between.
inline Lanes stored(const Lanes& x) { return Noise::narrow() ? round_stored(x) : x; }

inline Lanes noisy(const Lanes::Vec& v) { return Lanes(v * Noise::next()); }
inline Lanes operator+(const Lanes& a, const Lanes& b) { return noisy(a.v + b.v); }
inline Lanes operator-(const Lanes& a, const Lanes& b) { return noisy(a.v - b.v); }
inline Lanes operator*(const Lanes& a, const Lanes& b) { return noisy(a.v * b.v); }
inline Lanes operator/(const Lanes& a, const Lanes& b) { return noisy(a.v / b.v); }
inline Lanes operator-(const Lanes& a) { return Lanes(-a.v); }

/// Applies a function of the C library to each lane and perturbs the result.
template <class F>
Lanes each(const Lanes& a, F f) {
  return noisy(Lanes::Vec{f(a.v[0]), f(a.v[1]), f(a.v[2]), f(a.v[3])});
}
template <class F>
Lanes each(const Lanes& a, const Lanes& b, F f) {
  return noisy(Lanes::Vec{f(a.v[0], b.v[0]), f(a.v[1], b.v[1]), f(a.v[2], b.v[2]), f(a.v[3], b.v[3])});
}

/// A scalar of the computation: its value and its node on the tape (-1: a constant, no derivative).
struct Var {
  Lanes v{};
  int node = -1;
  Var() = default;
  Var(double x) : v(x) {}  // NOLINT: numbers are constants of the maths
  Var(const Lanes& l, int n) : v(l), node(n) {}
  double exact() const { return v.exact(); }
};

/// A comparison that the maths made: which scalars, and how far they were apart. What makes kinks visible.
struct Branch {
  int a, b;       // nodes, -1 for constants
  double gap;     // value(a) - value(b), lane 0
};

/// The tape of one thread. Records nodes in order; the reverse sweep walks them backwards.
class Tape {
 public:
  struct Node {
    int a, b;      // parents, -1 if none
    double value;  // lane 0, for the rounding bound of `difference`
    Lanes da, db;
  };
  static Tape& active();  ///< the thread's tape

  void clear();
  int leaf(double value);  ///< a node without parents
  /// Node of a result with up to two parents; returns -1 (a constant) if neither parent has a node.
  int push(double value, int a, const Lanes& da, int b = -1, const Lanes& db = {});
  /// Records a comparison, folds its outcome into the signature; `disagree`: a replica took the other side.
  void branch(bool outcome, bool disagree, const Branch& b);

  /// Says that the adjoint of this node (-1: none) is a tensor's element: in a narrow type it is rounded.
  void keep(int node) {
    if (Noise::narrow() && node >= 0) keep_narrow(node);
  }

  /// Adjoints of all nodes for the given seeds, perturbed like the values. `adjoint` is resized to the tape's length.
  /// Returns false if a cotangent is not finite, or one of 0 met an infinite partial: LibTorch multiplies such with the
  /// zeros of its masks (NaN), here nothing flows there. In a narrow type a partial beyond its range is infinite.
  bool sweep(std::vector<Lanes>& adjoint) const;
  /// Tangents of all nodes (lane 0) for tangents given at leaves: forward pass over the partials.
  void tangents(std::vector<double>& tangent) const;

  std::size_t size() const { return nodes_.size(); }
  const Node& operator[](std::size_t i) const { return nodes_[i]; }
  std::uint64_t signature() const { return signature_; }
  bool unstable() const { return unstable_; }
  const std::vector<Branch>& branches() const { return branches_; }
  bool recording() const { return recording_; }
  /// While off, results are constants (no_grad regions).
  void set_recording(bool on) { recording_ = on; }

 private:
  void keep_narrow(int node);
  bool sweep_narrow(std::vector<Lanes>& adjoint) const;

  std::vector<Node> nodes_;
  std::vector<char> kept_;  // by node, up to the last kept one
  std::vector<Branch> branches_;
  std::uint64_t signature_ = 0;
  bool unstable_ = false, recording_ = true;
};

// Arithmetic and functions on Var. Derivatives follow LibTorch's formulas where these read the saved result (numerics.md
// 3.3): tanh, sigmoid, exp, expm1, exp2, sqrt, rsqrt, reciprocal, tan.
Var operator+(const Var& a, const Var& b);
Var operator-(const Var& a, const Var& b);
Var operator*(const Var& a, const Var& b);
Var operator/(const Var& a, const Var& b);
Var operator-(const Var& a);
Var exp(const Var& x);
Var exp2(const Var& x);
Var expm1(const Var& x);
Var log(const Var& x);
Var log1p(const Var& x);
Var log2(const Var& x);
Var sqrt(const Var& x);
Var rsqrt(const Var& x);
Var reciprocal(const Var& x);
Var sin(const Var& x);
Var cos(const Var& x);
Var tan(const Var& x);
Var sinh(const Var& x);
Var cosh(const Var& x);
Var asinh(const Var& x);
Var atan(const Var& x);
Var tanh(const Var& x);
Var sigmoid(const Var& x);
Var erf(const Var& x);
/// A result with value `v` and partial derivatives given by the maths: for ops that derive by a formula of their own.
Var custom(const Lanes& v, const Var& a, const Lanes& da);
Var custom(const Lanes& v, const Var& a, const Lanes& da, const Var& b, const Lanes& db);
/// `x` without a derivative.
inline Var constant(const Var& x) { return Var(x.v, -1); }

// Comparisons decide on lane 0 and are recorded in the branch signature.
bool operator<(const Var& a, const Var& b);
bool operator<=(const Var& a, const Var& b);
bool operator>(const Var& a, const Var& b);
bool operator>=(const Var& a, const Var& b);
bool operator==(const Var& a, const Var& b);
inline bool operator!=(const Var& a, const Var& b) { return !(a == b); }
/// NaN on lane 0; recorded too.
bool isnan(const Var& x);

}  // namespace gradsmith
