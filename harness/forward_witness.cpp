// How far LibTorch's forward mode departs from what it must give.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "harness/compare.hpp"
#include "harness/forward_expected.hpp"
#include "harness/weigh.hpp"
#include "harness/wrong_refusal.hpp"

namespace gradsmith {
namespace {

/// The worst departure of any tensor.
Testimony weigh(const Chain& chain, const std::vector<std::optional<Array>>& observed,
                const std::vector<std::optional<Spread>>& expected, std::string_view what) {
  return weigh_derivatives(Witness::forward, FindingKind::forward_mode, chain, observed, expected, what);
}

/// Values are computed as without tangents.
std::optional<Testimony> moved_value(const Chain& chain, const ForwardRun& run, const Outcome& outcome) {
  for (std::size_t v = 0; v < run.values.size(); ++v) {
    if (!run.values[v] || v >= outcome.values.size() || !outcome.values[v]) continue;
    const auto &here = run.values[v]->data, &plain = outcome.values[v]->data;
    const auto at = first_bit_difference(here, plain);
    if (at < 0) continue;
    Testimony out{.witness = Witness::forward, .opinion = Opinion::disagree, .kind = FindingKind::forward_mode};
    out.name = fmt::format("{}[{}]", chain.names[v], at);
    out.observed = here[at];
    out.expected = plain[at];
    out.ratio = INFINITY;
    out.reason =
        fmt::format("value {} is {:.17g} in forward mode, {:.17g} without", out.name, out.observed, out.expected);
    return out;
  }
  return std::nullopt;
}

/// <w, J d> of forward mode against <J^T w, d> of reverse mode, where both differentiate the same function: without
/// regions and where all gradients accumulate. Nothing if they agree, or if that cannot be said.
std::optional<Testimony> parted_modes(const Chain& chain, const ForwardRun& run, const ForwardExpected& expected,
                                      const Outcome& outcome, const Reference& reference) {
  for (const Statement& statement : chain.statements) {
    if (std::holds_alternative<RegionBegin>(statement)) return std::nullopt;
    if (const auto* backward = std::get_if<Backward>(&statement); backward && backward->wrt) return std::nullopt;
  }
  if (outcome.refusal || reference.nan || !reference.open.empty()) return std::nullopt;
  long double product = 0;
  double tolerance = expected.product.spread[0], size = std::abs(run.product);
  for (std::size_t leaf = 0; leaf < reference.gradients.size(); ++leaf) {
    if (!reference.gradients[leaf]) continue;
    if (const auto& gradient = outcome.gradients[leaf];  // reverse mode itself is wrong: for `reference` to say
        gradient &&
        !(compare(gradient->data, *reference.gradients[leaf], unit_roundoff(DType::f64)).ratio <= Tolerance{}.k))
      return std::nullopt;
    for (std::size_t e = 0; e < expected.along[leaf].size(); ++e) {
      const double d = expected.along[leaf][e], g = outcome.gradients[leaf] ? outcome.gradients[leaf]->data[e] : 0;
      product += static_cast<long double>(g) * d;
      size += std::abs(g * d);
      tolerance += reference.gradients[leaf]->spread[e] * std::abs(d);
    }
  }
  const double u = unit_roundoff(DType::f64), reverse = static_cast<double>(product);
  const double unit = tolerance + Tolerance{}.relative_floor * u * size;
  const double ratio = run.product == reverse ? 0 : std::abs(run.product - reverse) / unit;
  if (ratio <= Tolerance{}.k || !std::isfinite(unit)) return std::nullopt;
  if (products_underflow(reference, run.product, reverse)) return std::nullopt;
  Testimony out{.witness = Witness::forward, .opinion = Opinion::disagree, .kind = FindingKind::forward_mode};
  out.name = "<w, J d>";
  out.observed = run.product;
  out.expected = reverse;
  out.ratio = ratio;
  out.reason =
      fmt::format("<w, J d> is {:.17g} by forward mode, <J^T w, d> is {:.17g} by reverse mode", run.product, reverse);
  return out;
}

std::string error_word(const std::optional<Refusal>& refusal) { return refusal ? refusal->id + "-step" : "none"; }

}  // namespace

Testimony forward_witness(const Chain& chain, const Typed& typed, const std::vector<Value>& implied_roots,
                          const Outcome& outcome, const Reference* reference) {
  Testimony out{.witness = Witness::forward, .kind = FindingKind::forward_mode};
  const auto says = [&](Opinion opinion, std::string reason) {
    out.opinion = opinion;
    out.reason = std::move(reason);
    return out;
  };
  const std::size_t statements = forward_statements(chain, outcome.refusal);
  const std::vector<Value> roots = outcome.refusal ? std::vector<Value>{} : implied_roots;
  if (outcome.refusal)
    for (std::size_t i = 0; i < statements; ++i)
      if (const auto* backward = std::get_if<Backward>(&chain.statements[i]); backward && !backward->results.empty())
        return says(Opinion::skipped, "refused after a gradient with a name");  // what it was is not on record
  const auto expect = [&](std::uint64_t noise) {
    return expect_forward(chain, typed, roots, statements, outcome, noise);
  };
  ForwardExpected expected = expect(0);
  if (std::all_of(expected.along.begin(), expected.along.end(), [](const auto& d) { return d.empty(); }))
    return says(Opinion::skipped, "no leaf requires grad");
  if (!expected.hole.empty()) return says(Opinion::skipped, "known hole " + expected.hole);
  if (!expected.open.empty() && !expected.refusal) return says(Opinion::inconclusive, expected.open);
  const ForwardRun run = execute_forward(chain, typed, roots, statements, outcome, expected.along);
  if (auto wrong = wrong_refusal(Witness::forward, FindingKind::forward_mode, "in forward mode",
                                 expected.refusal, run.refusal, error_word))
    return *wrong;
  if (run.refusal) return says(Opinion::agree, fmt::format("refused as it must be: {}", run.refusal->id));
  if (auto moved = moved_value(chain, run, outcome)) return *moved;
  const Tolerance tolerance;
  out = weigh(chain, run.tangents, expected.tangents, "tangent");
  std::uint64_t asked = 0;
  const auto widen_all = [&] {
    while (asked < static_cast<std::uint64_t>(tolerance.more_replicas) && expected.open.empty())
      widen(expected, expect(++asked));
    return expected.open.empty();
  };
  if (!(out.ratio <= tolerance.k)) {
    if (!widen_all()) return says(Opinion::inconclusive, expected.open);
    out = weigh(chain, run.tangents, expected.tangents, "tangent");
  }
  if (!(out.ratio <= tolerance.k))
    return says(Opinion::disagree,
                fmt::format("{} is {:.17g}, the reference says {:.17g} ({:.3g} times what rounding can do)", out.name,
                            out.observed, out.expected, out.ratio));
  if (!reference || !parted_modes(chain, run, expected, outcome, *reference)) return out;
  Reference wide = *reference;
  widen_by_more_replicas(wide, chain, typed, roots);
  if (!widen_all()) return says(Opinion::inconclusive, expected.open);
  return parted_modes(chain, run, expected, outcome, wide).value_or(out);
}

}  // namespace gradsmith
