#include "harness/difference.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>

#include "harness/values.hpp"
#include "harness/weigh.hpp"

namespace gradsmith {
namespace {

constexpr int levels = 4;
constexpr double first_step = 0x1p-8;   // starting larger once gave false agreement (numerics.md 2.4)
constexpr double smallest_step = 1e-9;
constexpr double tau = 1e-6;            // judged only when the tolerance is this small against the scale
constexpr double rounding_units = 16;   // C of numerics.md 2.3
constexpr double unit = 0x1p-53;

/// Tangents of all nodes on the tape along `direction`.
std::vector<double> tangents_along(const Reference& reference, const Direction& direction) {
  const Tape& tape = Tape::active();
  std::vector<double> tangent(tape.size());
  for (std::size_t leaf = 0; leaf < reference.leaf_nodes.size(); ++leaf)
    for (std::size_t e = 0; e < reference.leaf_nodes[leaf].size(); ++e)
      tangent[reference.leaf_nodes[leaf][e]] = direction.along[leaf][e];
  tape.tangents(tangent);
  return tangent;
}

/// Largest step along `direction` that moves nothing on the tape, leaves included, by more than a quarter of itself, or of 1
/// where it is 0 or more than that. Nothing reaches 0 within it, so that no pole lies there, and 1 is the scale on which
/// functions bend, of large numbers too: far beyond it differences agree on a slope that is none (mish is x on one side and
/// 0 on the other, logsumexp the one or the other of two equal numbers).
double pole_limit(const Reference& reference, const Direction& direction) {
  const Tape& tape = Tape::active();
  const auto tangent = tangents_along(reference, direction);
  double limit = first_step;
  for (std::size_t i = 0; i < tape.size(); ++i)
    if (tangent[i] != 0) {
      const double size = std::abs(tape[i].value);
      limit = std::min(limit, (size != 0 ? std::min(size, 1.0) : 1.0) / std::abs(tangent[i]) / 4);
    }
  return limit;
}

/// Some comparison on the tape is a tie of a number that moves, though not to first order: what is on either side of it may be
/// another function (threshold of a square that is 0).
bool tie_of_higher_order(const Direction& direction, const Reference& reference) {
  const Tape& tape = Tape::active();
  const auto tangent = tangents_along(reference, direction);
  std::vector<char> moves(tape.size());
  for (std::size_t i = 0; i < tape.size(); ++i) {
    const auto moved = [&](int parent) { return parent >= 0 && moves[parent] != 0; };
    moves[i] = tangent[i] != 0 || moved(tape[i].a) || moved(tape[i].b);
  }
  return std::any_of(tape.branches().begin(), tape.branches().end(), [&](const Branch& branch) {
    const auto rate = [&](int node) { return node >= 0 ? tangent[node] : 0; };
    const auto moved = [&](int node) { return node >= 0 && moves[node] != 0; };
    return branch.gap == 0 && branch.a != branch.b && rate(branch.a) == rate(branch.b) && (moved(branch.a) || moved(branch.b));
  });
}

/// Largest step along `direction` that stays clear of every branch change and turn on the tape, to first order and quartered.
double step_limit(const Reference& reference, const Direction& direction) {
  const Tape& tape = Tape::active();
  const auto tangent = tangents_along(reference, direction);
  double limit = first_step;
  for (const Branch& branch : tape.branches()) {
    const double rate = (branch.a >= 0 ? tangent[branch.a] : 0) - (branch.b >= 0 ? tangent[branch.b] : 0);
    if (rate != 0) limit = std::min(limit, std::abs(branch.gap / rate) / 4);
  }
  return limit;
}

/// Ridders' table over central differences at `steps` (descending by `ratio`): the best value and its tolerance.
struct Estimate {
  double value = 0, tolerance = INFINITY;
};
Estimate extrapolate(const std::array<double, levels>& slopes, const std::array<double, levels>& steps, double ratio,
                     double rounding) {
  Estimate best;
  std::array<std::array<double, levels>, levels> table{};
  for (int i = 0; i < levels; ++i) {
    table[i][0] = slopes[i];
    double power = ratio * ratio;
    for (int j = 1; j <= i; ++j, power *= ratio * ratio) {
      table[i][j] = (power * table[i][j - 1] - table[i - 1][j - 1]) / (power - 1);
      const double error = std::max(std::abs(table[i][j] - table[i][j - 1]), std::abs(table[i][j] - table[i - 1][j - 1]));
      const double tolerance = 10 * error + rounding_units * unit * rounding / steps[i];
      if (tolerance < best.tolerance) best = {table[i][j], tolerance};
    }
  }
  return best;
}

struct Judgement {
  enum class Kind : std::uint8_t { pass, fail, vacuous, open } kind = Kind::open;
  std::string reason{};
  double slope = 0, product = 0, tolerance = INFINITY;
  bool apart = false;  ///< by more than what is known of both
};

/// One direction: <gradient, d> against the extrapolated slope; smaller ladders while the table does not settle. The slope
/// of one that is left open is that of the ladder that came closest.
Judgement judge_direction(const Chain& chain, const Typed& typed, const std::vector<Value>& implied_roots,
                          const Reference& reference, const GradientClaim& claim, const Direction& direction, double limit,
                          double ratio) {
  Judgement out;
  double norm = 0, uncertain = 0;  // of the gradient, and its own rounding along d
  for (std::size_t leaf = 0; leaf < direction.along.size(); ++leaf) {
    if (!claim.gradient[leaf]) continue;
    for (std::size_t e = 0; e < direction.along[leaf].size(); ++e) {
      const double g = (*claim.gradient[leaf])[e];
      out.product += g * direction.along[leaf][e];
      norm = std::hypot(norm, g);
      if (claim.spread[leaf] && direction.along[leaf][e] != 0)
        uncertain += Tolerance{}.k * (*claim.spread[leaf])[e] * std::abs(direction.along[leaf][e]);
    }
  }
  if (!std::isfinite(uncertain)) {
    out.reason = "a replica of the gradient is not finite";
    return out;
  }
  double start = limit;
  for (int attempt = 0; attempt < 3; ++attempt, start /= 16) {
    if (!(start >= smallest_step)) {
      out.reason = attempt == 0 ? "too near a kink" : "differences did not settle";
      return out;
    }
    std::vector<double> points{0};
    std::array<double, levels> steps{};
    for (int i = 0; i < levels; ++i) {
      steps[i] = start / std::pow(ratio, i);
      points.push_back(steps[i]);
      points.push_back(-steps[i]);
    }
    const BatchedForward f = forward_along(chain, typed, implied_roots, claim, direction, points);
    if (!f.failure.empty()) {
      out.reason = f.failure;
      return out;
    }
    std::array<double, levels> slopes{};
    for (int i = 0; i < levels; ++i) slopes[i] = (f.values[1 + 2 * i] - f.values[2 + 2 * i]) / (2 * steps[i]);
    const Estimate estimate = extrapolate(slopes, steps, ratio, reference.rounding + f.magnitude);
    if (!(estimate.tolerance < out.tolerance)) continue;
    out.slope = estimate.value;
    out.tolerance = estimate.tolerance;
    const double scale = std::max(norm, std::abs(out.slope));
    out.apart = !(std::abs(out.slope - out.product) <= 2 * std::max(tau * scale, out.tolerance) + uncertain);
    if (norm == 0 && std::abs(out.slope) <= 10 * estimate.tolerance) {
      out.kind = Judgement::Kind::vacuous;
      return out;
    }
    if (estimate.tolerance <= tau * scale) {
      out.kind = out.apart ? Judgement::Kind::fail : Judgement::Kind::pass;
      return out;
    }
  }
  out.reason = "differences did not settle";
  return out;
}

GradientClaim accumulated(const Outcome& outcome, const Reference& reference) {
  GradientClaim claim;
  for (std::size_t v = 0; v < reference.gradients.size(); ++v) {
    claim.gradient.push_back(outcome.gradients[v] ? &outcome.gradients[v]->data : nullptr);
    claim.spread.push_back(reference.gradients[v] ? &reference.gradients[v]->spread : nullptr);
  }
  return claim;
}

/// The claim of one `backward` with `wrt`: nothing if it does not name its gradients, or takes them by other than leaves.
std::optional<GradientClaim> named(const Backward& backward, std::size_t statement, const Outcome& outcome, const Reference& reference) {
  GradientClaim claim{.statement = statement};
  claim.gradient.resize(reference.gradients.size());
  claim.spread.resize(reference.gradients.size());
  for (std::size_t k = 0; k < backward.results.size(); ++k) {
    const Value leaf = (*backward.wrt)[k], gradient = backward.results[k];
    if (gradient == dropped || claim.gradient[leaf] || reference.leaf_nodes[leaf].empty()) return std::nullopt;
    claim.gradient[leaf] = &outcome.values[gradient]->data;
    claim.spread[leaf] = &reference.values[gradient]->spread;
  }
  return claim;
}

/// What there is to judge, or nothing.
std::optional<GradientClaim> find_claim(const Chain& chain, const std::vector<Value>& implied_roots, const Outcome& outcome,
                                const Reference& reference) {
  std::vector<const Array*> constants(chain.names.size());
  bool accumulates = !implied_roots.empty();
  std::optional<GradientClaim> claim;
  for (std::size_t i = 0; i < chain.statements.size(); ++i) {
    const auto* backward = std::get_if<Backward>(&chain.statements[i]);
    if (!backward) continue;
    accumulates |= !backward->wrt;
    for (const Value result : backward->results)
      if (result != dropped) constants[result] = &*outcome.values[result];
    if (!claim && !backward->results.empty()) claim = named(*backward, i, outcome, reference);
  }
  if (accumulates) claim = accumulated(outcome, reference);
  if (claim) claim->constants = std::move(constants);
  return claim;
}

}  // namespace

Direction make_direction(const Chain& chain, const Reference& reference, const GradientClaim& claim, std::uint64_t number) {
  Direction direction;
  direction.along.resize(chain.names.size());
  std::vector<std::size_t> leaves;
  for (std::size_t leaf = 0; leaf < reference.leaf_nodes.size(); ++leaf)
    if (!reference.leaf_nodes[leaf].empty()) {
      direction.along[leaf].assign(reference.leaf_nodes[leaf].size(), 0.0);
      if (!claim.statement || claim.gradient[leaf]) leaves.push_back(leaf);
    }
  for (const std::size_t leaf : leaves) {
    if (number % 2 == 1 && leaf != leaves[(number / 2) % leaves.size()]) continue;
    const Spec spec{.kind = Spec::Kind::normal, .seed = number};
    direction.along[leaf] =
        generate_values(spec, DType::f64, static_cast<std::int64_t>(direction.along[leaf].size()), 1000 + leaf);
  }
  return direction;
}

Testimony difference_witness(const Chain& chain, const Typed& typed, const std::vector<Value>& implied_roots,
                             const Outcome& outcome, const Reference& reference) {
  Testimony out{.witness = Witness::difference, .kind = FindingKind::wrong_gradient};
  const bool leaves = std::any_of(reference.leaf_nodes.begin(), reference.leaf_nodes.end(), [](auto& l) { return !l.empty(); });
  const auto found = leaves ? find_claim(chain, implied_roots, outcome, reference) : std::nullopt;
  if (!found) {
    out.reason = leaves ? "no gradient of leaves" : "no leaf requires grad";
    return out;
  }
  const GradientClaim& claim = *found;
  for (const auto* gradient : claim.gradient)
    if (gradient && !std::all_of(gradient->begin(), gradient->end(), [](double g) { return std::isfinite(g); })) {
      out.opinion = Opinion::inconclusive;
      out.reason = "gradient not finite";
      return out;
    }
  // Which direction comes first follows from the chain, so that campaigns see many.
  const std::uint64_t number = Tape::active().signature() ^ (Tape::active().size() * 0x9e3779b97f4a7c15u);
  const auto direction = [&](int i) { return make_direction(chain, reference, claim, (number & 0xffff) + i); };
  const auto judged = [&](const Direction& d, double limit, double ratio) {
    return judge_direction(chain, typed, implied_roots, reference, claim, d, limit, ratio);
  };
  const Direction along = direction(0);
  const double limit = step_limit(reference, along);
  const Judgement first = judged(along, limit, 2);
  out.observed = first.product;
  out.expected = first.slope;
  out.name = "<gradient, direction>";
  out.ratio = first.tolerance > 0 ? std::abs(first.product - first.slope) / first.tolerance : 0;
  switch (first.kind) {
    case Judgement::Kind::pass:
      out.opinion = Opinion::agree;
      return out;
    case Judgement::Kind::vacuous:
      out.opinion = Opinion::agree;
      out.reason = "vacuous: gradient and slope are 0";
      return out;
    case Judgement::Kind::open:
      out.opinion = Opinion::inconclusive;
      out.reason = first.reason;
      return out;
    case Judgement::Kind::fail:
      break;
  }
  // A failure is believed only if another direction on another ladder fails too.
  int failures = 1;
  for (int i = 1; i < 3; ++i) {
    const Direction other = direction(i);
    failures += judged(other, step_limit(reference, other), 1.7).kind == Judgement::Kind::fail;
  }
  const double nearer = limit / 3;
  failures += judged(along, nearer, 1.7).kind == Judgement::Kind::fail;
  if (products_underflow(reference, first.product, first.slope)) {
    out.opinion = Opinion::inconclusive;
    out.reason = "products underflow";
    return out;
  }
  if (tie_of_higher_order(along, reference)) {
    out.opinion = Opinion::inconclusive;
    out.reason = "at a kink of higher order";
    return out;
  }
  const double clear = std::min(nearer, pole_limit(reference, along));  // a pole is no branch
  if (clear < 8 * smallest_step) {
    out.opinion = Opinion::inconclusive;
    out.reason = "too near a pole";
    return out;
  }
  if (!judged(along, clear, 2).apart) failures = 0;  // open or not: what a longer ladder says of it is no evidence then
  out.opinion = failures >= 2 ? Opinion::disagree : Opinion::inconclusive;
  out.reason = failures >= 2 ? fmt::format("<gradient, d> is {:.17g}, the slope of the forward is {:.17g} +- {:.1g}",
                                           first.product, first.slope, first.tolerance)
                             : "a failure that did not repeat";
  return out;
}

}  // namespace gradsmith
