// The tape for tensors of float and of 16-bit types: what they keep is rounded, in values and in the reverse sweep.
#include "harness/tape_narrow.hpp"

#include <cmath>

namespace gradsmith {
namespace {

constexpr double astray = 2;  // how far the rounding of a replica may go, in units of roundoff and of the smallest number

bool any_lane(const Lanes& x, auto test) {
  for (int lane = 0; lane < lane_count; ++lane)
    if (test(std::abs(x.v[lane]))) return true;
  return false;
}

bool is_one(const Lanes& x) {
  return !any_lane(x, [](double size) { return size != 1; }) && x.v[0] > 0;
}

/// U(-1, 1) in the replicas.
Lanes::Vec deviation() {
  const double largest = 4 * unit_roundoff(DType::f32);  // of the factors
  return (Noise::next() - 1.0) / largest;
}

/// A partial that is subnormal was rounded when it was computed.
Lanes rounded_if_small(const Lanes& partial, const Range& range) {
  if (!any_lane(partial, [&](double size) { return size != 0 && size < range.normal; })) return partial;
  Lanes out(partial.v + astray * range.least * deviation());
  out.v[0] = round_to(Noise::storage(), partial.v[0]);
  return out;
}

}  // namespace

Lanes round_stored(const Lanes& x) {
  const DType type = Noise::storage();
  const Range range = range_of(type);
  // In float each operation of the maths has perturbed the replicas already.
  const double relative = type == DType::f32 ? 0 : astray * unit_roundoff(type);
  const Lanes::Vec off = deviation();
  Lanes out;
  for (int lane = 0; lane < lane_count; ++lane) {
    double v = x.v[lane];
    if (lane > 0 && std::isfinite(v) && round_to(type, v) != v) v += off[lane] * (relative * std::abs(v) + astray * range.least);
    out.v[lane] = round_to(type, v);
  }
  return out;
}

Lanes accumulated(const Lanes& before, const Lanes& gradient) {
  if (!Noise::narrow()) return before + gradient;
  if (!any_lane(before, [](double size) { return size != 0; })) return gradient;
  const double relative = astray * unit_roundoff(Noise::storage());
  const Lanes::Vec first = before.v + before.v * (relative * deviation());
  return stored(Lanes(first + gradient.v + gradient.v * (relative * deviation())));
}

void Tape::keep_narrow(int node) {
  if (kept_.size() <= static_cast<std::size_t>(node)) kept_.resize(node + 1);
  kept_[node] = 1;
}

bool Tape::sweep_narrow(std::vector<Lanes>& adjoint) const {
  bool defined = true;
  const Range range = range_of(Noise::storage());
  const auto kept = [&](std::size_t node) { return node < kept_.size() && kept_[node]; };
  const auto beyond = [&](const Lanes& partial) { return any_lane(partial, [&](double size) { return !(size <= range.largest); }); };
  // What an op passes on to an operand is a tensor, and so is the sum of all that arrives there.
  const auto pass = [&](const Lanes& g, const Lanes& partial, int parent) {
    if (parent < 0) return;
    defined &= !beyond(partial);
    const Lanes share = is_one(partial) ? g : g * rounded_if_small(partial, range);
    Lanes& sum = adjoint[parent];
    sum = kept(parent) ? accumulated(sum, stored(share)) : sum + share;
  };
  for (std::size_t i = nodes_.size(); i-- > 0;) {
    const Node& node = nodes_[i];
    if (kept(i)) adjoint[i] = stored(adjoint[i]);
    const Lanes& g = adjoint[i];
    defined &= std::isfinite(g.exact());
    if (node.a < 0 && node.b < 0) continue;
    if (g.v[0] == 0 && g.v[1] == 0 && g.v[2] == 0 && g.v[3] == 0) {
      defined &= !beyond(node.da) && !beyond(node.db);
      continue;
    }
    pass(g, node.da, node.a);
    pass(g, node.db, node.b);
  }
  return defined;
}

}  // namespace gradsmith
