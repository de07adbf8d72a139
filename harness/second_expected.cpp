#include "harness/second_expected.hpp"

#include <cmath>

#include "harness/expect.hpp"
#include "harness/values.hpp"

namespace gradsmith {
namespace {

constexpr std::uint64_t direction_stream = 3000;  // streams below are those of inputs, roots, directions and tangents

}  // namespace

Tangents second_direction(const Chain& chain) {
  Tangents along(chain.names.size());
  for (const auto& statement : chain.statements)
    if (const auto* input = std::get_if<Input>(&statement); input && input->requires_grad)
      along[input->name] =
          generate_values({.kind = Spec::Kind::normal, .seed = direction_seed(*input)}, DType::f64,
                          element_count(input->shape), direction_stream + static_cast<std::uint64_t>(input->name));
  return along;
}

SecondExpected expect_second(const Chain& chain, const Typed& typed, const std::vector<Value>& implied_roots,
                             std::uint64_t noise, const Tangents& along) {
  const Duals duals;
  SecondExpected out;
  out.first.resize(chain.names.size());
  out.second.resize(chain.names.size());
  bool finite = true;
  const auto on_sweep = [&](const Evaluator& evaluator, const Backward&, const std::vector<Lanes>& adjoint) {
    for (const auto& statement : chain.statements) {
      const auto* input = std::get_if<Input>(&statement);
      if (!input || !input->requires_grad) continue;
      Spread &first = out.first[input->name].emplace(), &second = out.second[input->name].emplace();
      for (const int node : evaluator.leaf(input->name)) {
        const Lanes::Vec& g = adjoint[node].v;
        first.value.push_back(g[0]);
        first.spread.push_back(std::abs(g[1] - g[0]));
        second.value.push_back(g[2]);
        second.spread.push_back(std::isfinite(g[1]) ? std::abs(g[3] - g[2]) : NAN);  // what is no number has no slope
        finite &= std::isfinite(g[0]) && std::isfinite(g[2]);
      }
    }
  };
  const Reference reference = run_reference(chain, typed, implied_roots, noise, NoGradViews::cut, on_sweep, &along);
  out.open = reference.open;
  if (reference.nan || !finite) out.open = "derivatives not finite";
  return out;
}

void widen(SecondExpected& into, const SecondExpected& more) {
  widen(into.first, more.first);
  widen(into.second, more.second);
  if (into.open.empty()) into.open = more.open;
}

std::optional<Refusal> expect_second_refusal(const Chain& chain, const Typed& typed) {
  Model model;
  for (const auto& statement : chain.statements) model.add(statement, typed);
  model.finish(chain, typed);
  return model.second_backward_refusal();
}

}  // namespace gradsmith
