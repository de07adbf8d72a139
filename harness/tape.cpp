#include "harness/tape.hpp"

#include <limits>

#include "harness/sum_order.hpp"

namespace gradsmith {
namespace {

/// Whether some replica is so far from lane 0 that LibTorch's a - b may have the other sign, or be 0.
bool may_cross(const Lanes& a, const Lanes& b) {
  const double difference = a.exact() - b.exact();
  for (int lane = 1; lane < Duals::values(); ++lane) {
    const double went = std::abs((a.v[lane] - a.exact()) - (b.v[lane] - b.exact()));
    if (std::isfinite(went) && Noise::reach() * went > std::abs(difference)) return true;
  }
  return false;
}

/// True where some replica decides otherwise than lane 0, or LibTorch may.
template <class Compare>
bool decide(const Var& a, const Var& b, Compare compare) {
  Tape& tape = Tape::active();
  const bool outcome = compare(a.v.v[0], b.v.v[0]);
  bool disagree = may_cross(a.v, b.v);
  for (int lane = 1; lane < Duals::values(); ++lane) disagree |= compare(a.v.v[lane], b.v.v[lane]) != outcome;
  // Computed subnormals: relative noise does not move them, kernels may flush them. Where there is no node, two of them may
  // be what one was computed from.
  const double gap = std::abs(a.exact() - b.exact());
  const auto computed = [&](int node) { return node >= 0 && (tape[node].a >= 0 || tape[node].b >= 0); };
  const bool nonzero = a.exact() != 0 || b.exact() != 0;
  const bool tiny = std::abs(a.exact()) < 0x1p-1018 && std::abs(b.exact()) < 0x1p-1018;
  const bool unknown = (a.node < 0 || b.node < 0) && a.exact() != 0 && b.exact() != 0;
  disagree |= nonzero && (tiny || (gap != 0 && gap < 0x1p-1018)) && (computed(a.node) || computed(b.node) || unknown);
  tape.branch(outcome, disagree, {a.node, b.node, a.exact() - b.exact()});
  return outcome;
}

Var unary(const Var& x, const Lanes& v, const Lanes& dx) {
  const int node = Tape::active().push(v.exact(), x.node, dx);
  return {Tape::active().moving(v, node), node};
}

/// In all values, those of the replicas: where one of them left the numbers, so may LibTorch have.
bool finite(const Lanes& partial) {
  for (int lane = 0; lane < Duals::values(); ++lane)
    if (!std::isfinite(partial.v[lane])) return false;
  return true;
}

/// On duals in their tangents too.
bool finite_throughout(const Lanes& partial) {
  return finite(partial) && (!Duals::on() || (std::isfinite(partial.v[2]) && std::isfinite(partial.v[3])));
}

/// The square of x leaves the numbers, and 1 beside it is nothing.
bool squares_away(const Var& x) { return std::abs(x.exact()) > 0x1p500; }

Var periodic(const Var& x, const Lanes& v, const Lanes& dx) {
  Tape::active().turn(x.node);
  return unary(x, v, dx);
}

}  // namespace

Tape& Tape::active() {
  static thread_local Tape tape;
  return tape;
}

void Tape::clear() {
  nodes_.clear();
  kept_.clear();
  runs_.clear();
  motions_.clear();
  branches_.clear();
  signature_ = 0;
  unstable_ = false;
  recording_ = true;
}

int Tape::leaf(double value, double tangent) {
  nodes_.push_back({-1, -1, value, {}, {}});
  if (Duals::on()) motions_.push_back(Lanes(Lanes::Vec{0, 0, tangent, tangent}));
  return static_cast<int>(nodes_.size()) - 1;
}

int Tape::push(double value, int a, const Lanes& da, int b, const Lanes& db) {
  if (!recording_ || (a < 0 && b < 0)) return -1;
  nodes_.push_back({a, b, value, da, db});
  if (Duals::on()) motions_.push_back(motion(a, da, b, db));
  return static_cast<int>(nodes_.size()) - 1;
}

/// What the parents' tangents give, which need not be what the value's arithmetic gives: at a tie, or where a node only
/// carries a sum for others.
Lanes Tape::motion(int a, const Lanes& da, int b, const Lanes& db) const {
  const auto from = [&](int parent, const Lanes& partial) {
    if (parent < 0) return Lanes();
    const Lanes& m = motions_[parent];
    return noisy(Lanes::Vec{0, 0, detail::carried(partial.v[0], m.v[2]), detail::carried(partial.v[1], m.v[3])});
  };
  const Lanes by_b = from(b, db);
  return from(a, da) + by_b;
}

void Tape::branch(bool outcome, bool disagree, const Branch& b) {
  signature_ = (signature_ ^ static_cast<std::uint64_t>(outcome)) * 0x100000001b3u + 1;
  unstable_ |= disagree;
  if (b.a >= 0 || b.b >= 0) branches_.push_back(b);
}

bool Tape::sweep(std::vector<Lanes>& adjoint) const {
  adjoint.resize(nodes_.size());
  if (Noise::narrow()) return sweep_narrow(adjoint);
  constexpr double largest = std::numeric_limits<double>::max();
  bool defined = true;
  SumOrder order;
  const auto pass = [&](const Lanes& g, const Lanes& partial, int parent) {
    if (parent < 0) return;
    const Lanes share = g * partial;
    order.add(parent, share, largest);
    adjoint[parent] = adjoint[parent] + share;
  };
  for (std::size_t i = nodes_.size(); i-- > 0;) {
    const Node& node = nodes_[i];
    const Lanes& g = adjoint[i];
    defined &= std::isfinite(g.exact());
    if (node.a < 0 && node.b < 0) continue;
    if (g.is_zero()) {
      defined &= finite_throughout(node.da) && finite_throughout(node.db);
      continue;
    }
    pass(g, node.da, node.a);
    pass(g, node.db, node.b);
  }
  return defined && !order.decides();
}

void Tape::tangents(std::vector<double>& tangent) const {
  tangent.resize(nodes_.size());
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const Node& node = nodes_[i];
    if (node.a >= 0) tangent[i] += node.da.exact() * tangent[node.a];
    if (node.b >= 0) tangent[i] += node.db.exact() * tangent[node.b];
  }
}

bool Tape::tangents(std::vector<Lanes>& tangent) const {
  bool defined = true;
  tangent.resize(nodes_.size());
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const Node& node = nodes_[i];
    const auto add = [&](int parent, const Lanes& partial) {
      if (parent < 0) return;
      if (tangent[parent].is_zero()) {
        defined &= finite(partial);
        return;
      }
      defined &= std::isfinite(partial.exact());
      tangent[i] = tangent[i] + partial * tangent[parent];
    };
    add(node.a, node.da);
    add(node.b, node.db);
    defined &= std::isfinite(tangent[i].exact());
  }
  return defined;
}

Var operator+(const Var& a, const Var& b) { return custom(a.v + b.v, a, 1.0, b, 1.0); }
Var operator-(const Var& a, const Var& b) { return custom(a.v - b.v, a, 1.0, b, -1.0); }
Var operator*(const Var& a, const Var& b) { return custom(a.v * b.v, a, b.v, b, a.v); }
Var operator-(const Var& a) { return unary(a, -a.v, -1.0); }

Var operator/(const Var& a, const Var& b) {
  const Lanes by_b = b.node < 0 ? Lanes() : -(stored_between(a.v / b.v) / b.v);  // as div_tensor_other_grad writes it
  const Lanes by_a = Lanes(1.0) / b.v;
  return custom(a.v / b.v, a, by_a, b, by_b);
}

Var exp(const Var& x) {
  const Lanes r = stored(exp(x.v));
  return unary(x, r, r);
}
Var exp2(const Var& x) {
  const Lanes r = stored(exp2(x.v));
  return unary(x, r, r * Lanes(0.6931471805599453));
}
Var expm1(const Var& x) {
  const Lanes r = stored(expm1(x.v));
  return unary(x, r, r + 1.0);
}
Var log(const Var& x) {
  note_pole(x);
  const Lanes slope = Lanes(1.0) / x.v;
  return unary(x, log(x.v), slope);
}
Var log1p(const Var& x) {
  note_pole(x, -1);
  const Lanes slope = Lanes(1.0) / (x.v + 1.0);
  return unary(x, log1p(x.v), slope);
}
Var log2(const Var& x) {
  note_pole(x);
  const Lanes slope = Lanes(1.0) / stored_between(x.v * Lanes(0.6931471805599453));
  return unary(x, log2(x.v), slope);
}
Var sqrt(const Var& x) {
  note_pole(x);
  const Lanes r = stored(sqrt(x.v));
  return unary(x, r, Lanes(1.0) / (r * 2.0));
}
Var rsqrt(const Var& x) {
  note_pole(x);
  const Lanes r = stored(rsqrt(x.v));
  return unary(x, r, Lanes(-0.5) * stored_between(r * r * r));
}
Var reciprocal(const Var& x) {
  note_pole(x);
  const Lanes r = stored(Lanes(1.0) / x.v);
  return unary(x, r, -stored_between(r * r));
}
Var sin(const Var& x) {
  const Lanes slope = cos(x.v);
  return periodic(x, sin(x.v), slope);
}
Var cos(const Var& x) {
  const Lanes slope = -sin(x.v);
  return periodic(x, cos(x.v), slope);
}
Var tan(const Var& x) {
  const Lanes r = stored(tan(x.v));
  return periodic(x, r, r * r + 1.0);
}
Var sinh(const Var& x) {
  const Lanes slope = cosh(x.v);
  return unary(x, sinh(x.v), slope);
}
Var cosh(const Var& x) {
  const Lanes slope = sinh(x.v);
  return unary(x, cosh(x.v), slope);
}
Var asinh(const Var& x) {
  const Lanes slope = squares_away(x) ? Lanes(1.0) / abs(x.v) : rsqrt(x.v * x.v + 1.0);
  return unary(x, asinh(x.v), slope);
}
Var atan(const Var& x) {
  const Lanes slope = squares_away(x) ? Lanes(1.0) / x.v / x.v : Lanes(1.0) / (x.v * x.v + 1.0);
  return unary(x, atan(x.v), slope);
}
Var tanh(const Var& x) {
  const Lanes r = stored(tanh(x.v));
  return unary(x, r, Lanes(1.0) - r * r);
}
Var sigmoid(const Var& x) {
  const Lanes r = stored(sigmoid(x.v));
  return unary(x, r, (Lanes(1.0) - r) * r);
}
Var erf(const Var& x) {
  const Lanes slope = stored_between(exp(-stored(x.v * x.v))) * Lanes(1.1283791670955126);  // 2/sqrt(pi)
  return unary(x, erf(x.v), slope);
}
Var custom(const Lanes& v, const Var& a, const Lanes& da) { return unary(a, v, da); }
Var custom(const Lanes& v, const Var& a, const Lanes& da, const Var& b, const Lanes& db) {
  const int node = Tape::active().push(v.exact(), a.node, da, b.node, db);
  return {Tape::active().moving(v, node), node};
}

bool operator<(const Var& a, const Var& b) {
  return decide(a, b, [](double s, double t) { return s < t; });
}
bool operator<=(const Var& a, const Var& b) {
  return decide(a, b, [](double s, double t) { return s <= t; });
}
bool operator>(const Var& a, const Var& b) {
  return decide(a, b, [](double s, double t) { return s > t; });
}
bool operator>=(const Var& a, const Var& b) {
  return decide(a, b, [](double s, double t) { return s >= t; });
}
bool operator==(const Var& a, const Var& b) {
  return decide(a, b, [](double s, double t) { return s == t; });
}
void note_pole(const Var& x, double at) {
  if (may_cross(x.v, at)) Tape::active().branch(true, true, {-1, -1, 0});
}
bool isnan(const Var& x) {
  const bool outcome = std::isnan(x.exact());
  bool disagree = false;
  for (int lane = 1; lane < Duals::values(); ++lane) disagree |= std::isnan(x.v.v[lane]) != outcome;
  if (disagree) Tape::active().branch(outcome, true, {x.node, -1, 0});
  return outcome;
}

}  // namespace gradsmith
