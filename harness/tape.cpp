#include "harness/tape.hpp"

#include <limits>

namespace gradsmith {
namespace {

/// Multiple of the unit roundoff that perturbs: 4u, so that in float64 a factor has seven levels on both sides
/// (numerics.md 3.2).
constexpr double noise_units = 4;

std::uint64_t splitmix(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

struct NoiseTable {
  Lanes::Vec factors[4096];
  explicit NoiseTable(double roundoff) {
    std::uint64_t state = 20260101;
    for (auto& f : factors) {
      f[0] = 1;
      for (int lane = 1; lane < lane_count; ++lane)
        f[lane] = 1 + noise_units * roundoff * (2 * static_cast<double>(splitmix(state) >> 11) * 0x1p-53 - 1);
    }
  }
};

const Lanes::Vec* noise_table(DType dtype) {
  static const NoiseTable wide(unit_roundoff(DType::f64)), narrow(unit_roundoff(DType::f32));
  return dtype == DType::f64 ? wide.factors : narrow.factors;
}

/// True where some replica decides otherwise than lane 0.
template <class Compare>
bool decide(const Var& a, const Var& b, Compare compare) {
  Tape& tape = Tape::active();
  const bool outcome = compare(a.v.v[0], b.v.v[0]);
  bool disagree = false;
  for (int lane = 1; lane < lane_count; ++lane) disagree |= compare(a.v.v[lane], b.v.v[lane]) != outcome;
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

Var unary(const Var& x, const Lanes& v, const Lanes& dx) { return {v, Tape::active().push(v.exact(), x.node, dx)}; }

}  // namespace

thread_local std::uint32_t Noise::at_ = 0;
thread_local const Lanes::Vec* Noise::table_ = noise_table(DType::f64);
thread_local DType Noise::storage_ = DType::f64;

void Noise::restart(std::uint64_t start, DType dtype) {
  at_ = static_cast<std::uint32_t>(splitmix(start));
  table_ = noise_table(dtype);
  storage_ = dtype;
}

Tape& Tape::active() {
  static thread_local Tape tape;
  return tape;
}

void Tape::clear() {
  nodes_.clear();
  kept_.clear();
  branches_.clear();
  signature_ = 0;
  unstable_ = false;
  recording_ = true;
}

int Tape::leaf(double value) {
  nodes_.push_back({-1, -1, value, {}, {}});
  return static_cast<int>(nodes_.size()) - 1;
}

int Tape::push(double value, int a, const Lanes& da, int b, const Lanes& db) {
  if (!recording_ || (a < 0 && b < 0)) return -1;
  nodes_.push_back({a, b, value, da, db});
  return static_cast<int>(nodes_.size()) - 1;
}

void Tape::branch(bool outcome, bool disagree, const Branch& b) {
  signature_ = (signature_ ^ static_cast<std::uint64_t>(outcome)) * 0x100000001b3u + 1;
  unstable_ |= disagree;
  if (b.a >= 0 || b.b >= 0) branches_.push_back(b);
}

bool Tape::sweep(std::vector<Lanes>& adjoint) const {
  adjoint.resize(nodes_.size());
  if (Noise::narrow()) return sweep_narrow(adjoint);
  bool defined = true;
  for (std::size_t i = nodes_.size(); i-- > 0;) {
    const Node& node = nodes_[i];
    const Lanes& g = adjoint[i];
    defined &= std::isfinite(g.exact());
    if (node.a < 0 && node.b < 0) continue;
    if (g.v[0] == 0 && g.v[1] == 0 && g.v[2] == 0 && g.v[3] == 0) {
      defined &= std::isfinite(node.da.exact()) && std::isfinite(node.db.exact());
      continue;
    }
    if (node.a >= 0) adjoint[node.a] = adjoint[node.a] + g * node.da;
    if (node.b >= 0) adjoint[node.b] = adjoint[node.b] + g * node.db;
  }
  return defined;
}

void Tape::tangents(std::vector<double>& tangent) const {
  tangent.resize(nodes_.size());
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const Node& node = nodes_[i];
    if (node.a >= 0) tangent[i] += node.da.exact() * tangent[node.a];
    if (node.b >= 0) tangent[i] += node.db.exact() * tangent[node.b];
  }
}

Var operator+(const Var& a, const Var& b) { return custom(a.v + b.v, a, 1.0, b, 1.0); }
Var operator-(const Var& a, const Var& b) { return custom(a.v - b.v, a, 1.0, b, -1.0); }
Var operator*(const Var& a, const Var& b) { return custom(a.v * b.v, a, b.v, b, a.v); }
Var operator-(const Var& a) { return unary(a, -a.v, -1.0); }

Var operator/(const Var& a, const Var& b) {
  if (b.node < 0) return unary(a, a.v / b.v, Lanes(1.0) / b.v);
  return custom(a.v / b.v, a, Lanes(1.0) / b.v, b, -((a.v / b.v) / b.v));  // as div_tensor_other_grad writes it
}

Var exp(const Var& x) {
  const Lanes r = stored(each(x.v, [](double t) { return std::exp(t); }));
  return unary(x, r, r);
}
Var exp2(const Var& x) {
  const Lanes r = stored(each(x.v, [](double t) { return std::exp2(t); }));
  return unary(x, r, r * Lanes(0.6931471805599453));
}
Var expm1(const Var& x) {
  const Lanes r = stored(each(x.v, [](double t) { return std::expm1(t); }));
  return unary(x, r, r + 1.0);
}
Var log(const Var& x) {
  return unary(x, each(x.v, [](double t) { return std::log(t); }), Lanes(1.0) / x.v);
}
Var log1p(const Var& x) {
  return unary(x, each(x.v, [](double t) { return std::log1p(t); }), Lanes(1.0) / (x.v + 1.0));
}
Var log2(const Var& x) {
  return unary(x, each(x.v, [](double t) { return std::log2(t); }), Lanes(1.0) / (x.v * Lanes(0.6931471805599453)));
}
Var sqrt(const Var& x) {
  const Lanes r = stored(each(x.v, [](double t) { return std::sqrt(t); }));
  return unary(x, r, Lanes(1.0) / (r * 2.0));
}
Var rsqrt(const Var& x) {
  const Lanes r = stored(each(x.v, [](double t) { return 1 / std::sqrt(t); }));
  return unary(x, r, Lanes(-0.5) * (r * r * r));
}
Var reciprocal(const Var& x) {
  const Lanes r = stored(Lanes(1.0) / x.v);
  return unary(x, r, -(r * r));
}
Var sin(const Var& x) {
  return unary(x, each(x.v, [](double t) { return std::sin(t); }), each(x.v, [](double t) { return std::cos(t); }));
}
Var cos(const Var& x) {
  return unary(x, each(x.v, [](double t) { return std::cos(t); }), -each(x.v, [](double t) { return std::sin(t); }));
}
Var tan(const Var& x) {
  const Lanes r = stored(each(x.v, [](double t) { return std::tan(t); }));
  return unary(x, r, r * r + 1.0);
}
Var sinh(const Var& x) {
  return unary(x, each(x.v, [](double t) { return std::sinh(t); }), each(x.v, [](double t) { return std::cosh(t); }));
}
Var cosh(const Var& x) {
  return unary(x, each(x.v, [](double t) { return std::cosh(t); }), each(x.v, [](double t) { return std::sinh(t); }));
}
Var asinh(const Var& x) {
  const Lanes s = x.v * x.v + 1.0;
  return unary(x, each(x.v, [](double t) { return std::asinh(t); }), each(s, [](double t) { return 1 / std::sqrt(t); }));
}
Var atan(const Var& x) {
  return unary(x, each(x.v, [](double t) { return std::atan(t); }), Lanes(1.0) / (x.v * x.v + 1.0));
}
Var tanh(const Var& x) {
  const Lanes r = stored(each(x.v, [](double t) { return std::tanh(t); }));
  return unary(x, r, Lanes(1.0) - r * r);
}
Var sigmoid(const Var& x) {
  const Lanes r = stored(Lanes(1.0) / (Lanes(1.0) + each(-x.v, [](double t) { return std::exp(t); })));
  return unary(x, r, (Lanes(1.0) - r) * r);
}
Var erf(const Var& x) {
  const Lanes slope = each(-stored(x.v * x.v), [](double t) { return std::exp(t); }) * Lanes(1.1283791670955126);  // 2/sqrt(pi)
  return unary(x, each(x.v, [](double t) { return std::erf(t); }), slope);
}
Var custom(const Lanes& v, const Var& a, const Lanes& da) { return unary(a, v, da); }
Var custom(const Lanes& v, const Var& a, const Lanes& da, const Var& b, const Lanes& db) {
  return {v, Tape::active().push(v.exact(), a.node, da, b.node, db)};
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
bool isnan(const Var& x) { return x.v.v[0] != x.v.v[0]; }

}  // namespace gradsmith
