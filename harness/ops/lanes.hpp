// Numbers of which more than one value is right, for maths that states a derivative of its own. Knows only the tape.
//
// Each operation on Lanes draws noise, and C++ leaves the order of operands and arguments to the compiler: only one of them
// may draw. The others have names and come before, so that a chain has the same replicas whatever compiled this.
#pragma once

#include "harness/tape.hpp"

namespace gradsmith::ops {

/// `x`; but a 0 has either sign, and the replicas differ in it: for ops whose vector and scalar loops choose differently
/// between 0 and -0, or whose sums start from 0, which a reciprocal shows.
inline Lanes with_either_zero(const Lanes& x) {
  if (x.exact() != 0 || Duals::on()) return x;
  Lanes::Vec v = x.v;
  for (int lane = 1; lane < lane_count; ++lane)
    if (v[lane] == 0) v[lane] = lane == 2 ? -0.0 : 0.0;
  return Lanes(v);
}
inline Var either_zero(const Var& x) { return x.exact() == 0 ? Var(with_either_zero(x.v), x.node) : x; }

/// a * b + c by a kernel that may round both operations at once, as compilers contract them: so the plain lane does, which is
/// right where the product alone would leave the range; the replicas round each.
inline Lanes fused(const Lanes& a, const Lanes& b, const Lanes& c) {
  Lanes out = a * b + c;
  out.v[0] = std::fma(a.exact(), b.exact(), c.exact());
  return out;
}

/// What a computation keeps in between: kernels of narrow types compute in float, where what is beyond its range is infinite.
inline Lanes in_range(const Lanes& x) {
  if (Noise::computing() == DType::f64) return x;
  Lanes out = x;
  for (int lane = 0; lane < lane_count; ++lane)
    if (const double v = round_to(DType::f32, x.v[lane]); std::isinf(v)) out.v[lane] = v;
  return out;
}

/// A number that LibTorch's kernel gives one way or another, by the loop that it takes: which of them depends on how many
/// elements there are, on their strides and on the processor. The plain lane has the first, a replica the second.
inline Lanes either_way(const Lanes& one, const Lanes& other) {
  Lanes out = one;
  if (!Duals::on()) out.v[2] = other.v[2];
  return out;
}

/// `partial`, a derivative with respect to `x`, whose own derivative LibTorch takes by a formula that rounds otherwise, or
/// decides otherwise at a kink, than that of `partial`: `curvature()`.
template <class F>
Lanes curved(const Lanes& partial, const Lanes& x, F curvature) {
  return Duals::on() ? partial.with_tangents_of(curvature().with_tangents_of({}) * x) : partial;
}

/// `a - b` as a derivative, whose own derivative LibTorch never takes as a difference: what comes of each is added to what
/// else arrives, and rounds there, before they cancel (lerp between a tensor and itself).
inline Lanes spread_apart(const Lanes& a, const Lanes& b) {
  const Lanes difference = a - b;
  if (!Duals::on()) return difference;
  const Lanes less = noisy(b.v);
  return difference.with_tangents_of(noisy(a.v) - less);
}

}  // namespace gradsmith::ops
