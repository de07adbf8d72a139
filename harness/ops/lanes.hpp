// Functions of the C library on Lanes, for maths that states a derivative of its own. Knows only the tape.
#pragma once

#include "harness/tape.hpp"

namespace gradsmith::ops {

inline Lanes exp(const Lanes& x) {
  return each(x, [](double t) { return std::exp(t); });
}
inline Lanes expm1(const Lanes& x) {
  return each(x, [](double t) { return std::expm1(t); });
}
inline Lanes log(const Lanes& x) {
  return each(x, [](double t) { return std::log(t); });
}
inline Lanes log1p(const Lanes& x) {
  return each(x, [](double t) { return std::log1p(t); });
}
inline Lanes tanh(const Lanes& x) {
  return each(x, [](double t) { return std::tanh(t); });
}
inline Lanes erf(const Lanes& x) {
  return each(x, [](double t) { return std::erf(t); });
}
/// `x`; but a 0 has either sign, and the replicas differ in it: for ops whose vector and scalar loops choose differently
/// between 0 and -0, or whose sums start from 0, which a reciprocal shows.
inline Lanes with_either_zero(const Lanes& x) {
  if (x.exact() != 0) return x;
  Lanes::Vec v = x.v;
  for (int lane = 1; lane < lane_count; ++lane)
    if (v[lane] == 0) v[lane] = lane == 2 ? -0.0 : 0.0;
  return Lanes(v);
}
inline Var either_zero(const Var& x) { return x.exact() == 0 ? Var(with_either_zero(x.v), x.node) : x; }
/// 1 / (1 + e^-x).
inline Lanes sigmoid(const Lanes& x) { return Lanes(1.0) / (Lanes(1.0) + exp(-x)); }

}  // namespace gradsmith::ops
