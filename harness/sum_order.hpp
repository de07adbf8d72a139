// Sums of cotangents whose order decides whether they are numbers. Knows numbers and ranges only.
#pragma once

#include <cmath>
#include <unordered_map>

#include "harness/lanes.hpp"

namespace gradsmith {

/// What arrives at the nodes of a tape, as far as its size matters. Where terms of one sign leave the range by themselves
/// and those of the other bring the sum back, it is infinite in some orders: LibTorch sums in orders of its own.
class SumOrder {
 public:
  /// `term` goes into the cotangent of `node`, in a kernel whose largest number is `largest`.
  void add(int node, const Lanes& term, double largest) {
    const double far = largest * 0x1p-20;
    for (const int lane : {0, lane_count / 2})  // values, and with Duals on their tangents
      if (std::abs(term.v[lane]) > far) grow(sums_[2 * node + (lane > 0)], term.v[lane], largest);
  }
  /// Some order of what was added gives a number, another does not.
  bool decides() const { return decides_; }

 private:
  struct Sum {
    long double up = 0, down = 0;
  };
  void grow(Sum& sum, double term, double largest) {
    (term > 0 ? sum.up : sum.down) += term;
    decides_ |= (sum.up > largest && sum.down < 0) || (sum.down < -largest && sum.up > 0);
  }

  std::unordered_map<int, Sum> sums_{};
  bool decides_ = false;
};

}  // namespace gradsmith
