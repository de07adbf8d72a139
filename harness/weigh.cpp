#include "harness/weigh.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace gradsmith {

void weigh(Testimony& out, const Chain& chain, const std::vector<std::optional<Array>>& observed,
           const std::vector<std::optional<Spread>>& expected, const Tolerance& tolerance, Missing missing) {
  for (std::size_t v = 0; v < expected.size(); ++v) {
    if (!expected[v]) continue;
    std::vector<double> zeros;
    const std::vector<double>* data = nullptr;
    if (v < observed.size() && observed[v]) {
      data = &observed[v]->data;
    } else if (missing == Missing::is_zero) {
      zeros.assign(expected[v]->value.size(), 0.0);
      data = &zeros;
    }
    if (!data) continue;
    Departure d = compare(*data, *expected[v], roundoff_of(*expected[v]), tolerance);
    if (v < observed.size() && observed[v] && observed[v]->dtype != expected[v]->dtype)  // whatever the numbers are
      d = {std::numeric_limits<double>::infinity(), 0, d.observed, d.expected};
    if (!(d.ratio <= out.ratio)) {
      out.ratio = d.ratio;
      out.observed = d.observed;
      out.expected = d.expected;
      out.name = fmt::format("{}[{}]", chain.names[v], d.element);
    }
  }
}

Testimony weigh_derivatives(Witness witness, FindingKind kind, const Chain& chain,
                            const std::vector<std::optional<Array>>& observed,
                            const std::vector<std::optional<Spread>>& expected, std::string_view what) {
  Testimony out{.witness = witness, .opinion = Opinion::agree, .kind = kind};
  for (std::size_t v = 0; v < expected.size(); ++v) {
    if (!expected[v]) continue;
    const Departure d = compare_derivatives(observed[v], *expected[v]);
    if (d.ratio <= out.ratio) continue;
    out.ratio = d.ratio;
    out.observed = d.observed;
    out.expected = d.expected;
    out.name = fmt::format("{} {}[{}]", what, chain.names[v], d.element);
  }
  return out;
}

bool products_underflow(const Reference& reference, double one, double other) {
  if (reference.subnormal || std::max(std::abs(one), std::abs(other)) < underflowing) return true;
  const Tape& tape = Tape::active();
  for (std::size_t i = 0; i < tape.size(); ++i)
    if (tape[i].value != 0 && std::abs(tape[i].value) < underflowing) return true;
  return false;
}

void widen_by_more_replicas(Reference& reference, const Chain& chain, const Typed& typed, const std::vector<Value>& roots) {
  for (int i = 1; i <= Tolerance{}.more_replicas && reference.open.empty(); ++i)
    widen(reference, run_reference(chain, typed, roots, static_cast<std::uint64_t>(i)));
}

}  // namespace gradsmith
