// The tape for tensors of float and of 16-bit types: what they keep is rounded, in values and in the reverse sweep.
#include "harness/tape_narrow.hpp"

#include <cmath>

#include "harness/sum_order.hpp"

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

/// A partial that is subnormal was rounded when it was computed.
Lanes rounded_if_small(const Lanes& partial, const Range& range) {
  if (!any_lane(partial, [&](double size) { return size != 0 && size < range.normal; })) return partial;
  Lanes out(partial.v + astray * range.least * Noise::stray());
  out.v[0] = round_to(Noise::storage(), partial.v[0]);
  return out;
}

}  // namespace

Lanes round_stored(const Lanes& x) {
  const DType type = Noise::storage();
  if (type == DType::f64) return x;
  const Range range = range_of(type);
  // Where the kernel computes with this roundoff, each operation of the maths has perturbed the replicas already.
  const double relative = unit_roundoff(type) > Noise::roundoff() ? astray * unit_roundoff(type) : 0;
  const Lanes::Vec off = Noise::stray();
  Lanes out;
  for (int lane = 0; lane < lane_count; ++lane) {
    double v = x.v[lane];
    if (lane > 0 && std::isfinite(v) && round_to(type, v) != v) v += off[lane] * (relative * std::abs(v) + astray * range.least);
    out.v[lane] = round_to(type, v);
  }
  return out;
}

Lanes accumulated(const Lanes& before, const Lanes& gradient) {
  if (Noise::storage() == DType::f64) return before + gradient;
  if (!any_lane(before, [](double size) { return size != 0; })) return gradient;
  const double relative = astray * unit_roundoff(Noise::storage());
  const Lanes::Vec first = before.v + before.v * (relative * Noise::stray());
  return stored(Lanes(first + gradient.v + gradient.v * (relative * Noise::stray())));
}

void Tape::work_in(DType computing, DType storage) {
  const bool same = !runs_.empty() && runs_.back().computing == computing && runs_.back().storage == storage;
  if (!same) runs_.push_back({static_cast<int>(nodes_.size()), computing, storage});
  Noise::work_in(computing, storage);
}

void Tape::keep_narrow(int node) {
  if (kept_.size() <= static_cast<std::size_t>(node)) kept_.resize(node + 1);
  kept_[node] = static_cast<char>(1 + static_cast<int>(Noise::storage()));
}

bool Tape::sweep_narrow(std::vector<Lanes>& adjoint) const {
  bool defined = true;
  SumOrder order;
  const Run before{0, Noise::computing(), Noise::storage()};
  const auto kept_type = [&](std::size_t node) { return static_cast<DType>(kept_[node] - 1); };
  // The type of what is passed on to a parent.
  const auto passed = [&](int parent, const Run& run) { return is_kept(parent) ? kept_type(parent) : run.storage; };
  const auto beyond = [](const Lanes& partial, DType type) {
    return any_lane(partial, [largest = range_of(type).largest](double size) { return !(size <= largest); });
  };
  // What an op passes on to an operand is a tensor, and so is the sum of all that arrives there.
  const auto pass = [&](const Lanes& g, const Lanes& partial, int parent, const Run& run) {
    if (parent < 0) return;
    const bool kept = is_kept(parent);
    const DType type = passed(parent, run);
    Noise::work_in(kept && type == DType::f64 ? type : run.computing, type);
    const Range range = range_of(type);
    defined &= !beyond(partial, type);
    const Lanes share = is_one(partial) ? g : g * rounded_if_small(partial, range);
    const DType summing = kept ? type : run.computing == DType::f64 ? DType::f64 : DType::f32;  // tensors, or in a kernel
    order.add(parent, share, range_of(summing).largest);
    Lanes& sum = adjoint[parent];
    sum = kept ? accumulated(sum, stored(share)) : sum + share;
  };
  std::size_t runs = runs_.size();
  for (std::size_t i = nodes_.size(); i-- > 0;) {
    while (runs > 0 && runs_[runs - 1].first > static_cast<int>(i)) --runs;
    const Run& run = runs > 0 ? runs_[runs - 1] : before;
    const Node& node = nodes_[i];
    if (is_kept(i)) {
      Noise::work_in(kept_type(i), kept_type(i));
      adjoint[i] = stored(adjoint[i]);
    }
    const Lanes& g = adjoint[i];
    defined &= std::isfinite(g.exact());
    if (node.a < 0 && node.b < 0) continue;
    if (g.v[0] == 0 && g.v[1] == 0 && g.v[2] == 0 && g.v[3] == 0) {
      if (node.a >= 0) defined &= !beyond(node.da, passed(node.a, run));
      if (node.b >= 0) defined &= !beyond(node.db, passed(node.b, run));
      continue;
    }
    pass(g, node.da, node.a, run);
    pass(g, node.db, node.b, run);
  }
  Noise::work_in(before.computing, before.storage);
  return defined && !order.decides();
}

}  // namespace gradsmith
