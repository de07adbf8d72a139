// What the replicas of a computation say: how far rounding moves each number.
#include <algorithm>
#include <cmath>

#include "harness/reference.hpp"

namespace gradsmith {

Spread spread_of(const std::vector<Lanes>& lanes, DType dtype) {
  Spread out;
  out.dtype = dtype;
  // Below the normal numbers of float some kernels of oneDNN give 0.
  if (Noise::narrow()) out.least = std::max(range_of(dtype).least, range_of(DType::f32).normal / 2);
  out.value.reserve(lanes.size());
  out.spread.reserve(lanes.size());
  for (const Lanes& l : lanes) {
    double worst = 0;
    for (int lane = 1; lane < lane_count; ++lane) {
      const double a = l.v[lane], b = l.v[0];
      if (a == b || (std::isnan(a) && std::isnan(b))) continue;  // infinities too
      const double distance = std::abs(a - b);
      worst = std::isnan(worst) || distance <= worst ? worst : distance;  // NaN widens: a replica that leaves the numbers is no bound
    }
    out.value.push_back(l.v[0]);
    out.spread.push_back(worst);
  }
  return out;
}

void widen(Spread& into, const Spread& more) {
  for (std::size_t e = 0; e < into.spread.size(); ++e)
    if (double& spread = into.spread[e]; !std::isnan(spread) && !(more.spread[e] <= spread)) spread = more.spread[e];
}

void widen(std::vector<std::optional<Spread>>& into, const std::vector<std::optional<Spread>>& more) {
  for (std::size_t i = 0; i < into.size(); ++i)
    if (into[i] && more[i]) widen(*into[i], *more[i]);
}

void widen(Reference& reference, const Reference& more) {
  widen(reference.values, more.values);
  widen(reference.gradients, more.gradients);
  if (reference.open.empty()) reference.open = more.open;
}

}  // namespace gradsmith
