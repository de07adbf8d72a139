// What the gradient of any program obeys whatever its ops are: it comes out the same each time, and it is linear in the
// cotangent, which shows in powers of two to the bit.
#include <cmath>

#include "harness/compare.hpp"
#include "harness/execute.hpp"
#include "harness/expect.hpp"
#include "harness/values.hpp"
#include "properties/torch_chains.hpp"

namespace gradsmith {
namespace {

/// A chain that nothing refuses and that has no backward of its own, with the roots of the implied one.
struct Rooted {
  Chain chain;
  std::vector<Value> roots;
  std::vector<Shape> shapes;
  std::vector<DType> types{};
};

Rooted drawn_rooted(unsigned inplace = 50) {
  Rooted out{drawn_chain(knobs_of(0, inplace)), {}, {}};
  std::erase_if(out.chain.statements,
                [](const Statement& statement) { return std::holds_alternative<Backward>(statement); });
  const auto typed = type_chain(out.chain);
  if (!std::holds_alternative<Typed>(typed)) RC_DISCARD("uses a gradient by name");
  if (expect(out.chain, std::get<Typed>(typed), &out.roots).refusal) RC_DISCARD("refused without its first backward");
  if (out.roots.empty()) RC_DISCARD("nothing to differentiate");
  if (execute(out.chain, out.roots).refusal) RC_DISCARD("refused, which other properties judge");
  for (const Value root : out.roots) {
    out.shapes.push_back(std::get<Typed>(typed).values[root].layout.shape);
    out.types.push_back(std::get<Typed>(typed).values[root].dtype);
  }
  return out;
}

using Cotangents = std::vector<std::vector<double>>;

Chain with_cotangents(const Rooted& one, const Cotangents& cotangents) {
  Chain chain = one.chain;
  Spec spec{.kind = Spec::Kind::list};
  for (const auto& part : cotangents) spec.list.insert(spec.list.end(), part.begin(), part.end());
  chain.statements.emplace_back(Backward{.roots = one.roots, .cotangent = std::move(spec)});
  return chain;
}

Cotangents scaled(Cotangents cotangents, double factor) {
  for (auto& part : cotangents)
    for (double& x : part) x *= factor;
  return cotangents;
}

using Arrays = std::vector<std::optional<Array>>;

/// The first leaf whose gradient is not, to the bit, `factor` times the other's; dropped if all are.
Value first_difference(const Arrays& a, const Arrays& b, double factor = 1) {
  for (std::size_t value = 0; value < a.size(); ++value) {
    if (a[value].has_value() != b[value].has_value()) return static_cast<Value>(value);
    if (!a[value]) continue;
    std::vector<double> expected = b[value]->data;
    for (double& x : expected) x *= factor;
    if (first_bit_difference(a[value]->data, expected) >= 0) return static_cast<Value>(value);
  }
  return dropped;
}

RC_GTEST_PROP(Algebra, The_same_program_gives_the_same_bits_again, ()) {
  const Rooted one = drawn_rooted();
  const Outcome first = execute(one.chain, one.roots), second = execute(one.chain, one.roots);
  RC_ASSERT(!first.refusal && !second.refusal);
  RC_ASSERT(first_difference(first.values, second.values) == dropped);
  RC_ASSERT(first_difference(first.gradients, second.gradients) == dropped);
}

RC_GTEST_PROP(Algebra, The_same_program_gets_the_same_verdict_again, ()) {
  const Chain chain = drawn_chain(knobs_of(30));
  const Verdict first = judge(chain), second = judge(chain);
  RC_ASSERT(first.status == second.status);
  RC_ASSERT(first.signature == second.signature);
}

RC_GTEST_PROP(Algebra, A_second_backward_over_a_kept_graph_gives_the_same_bits, ()) {
  const Rooted one = drawn_rooted();
  std::vector<Value> leaves;
  for (const auto& statement : one.chain.statements)
    if (const auto* input = std::get_if<Input>(&statement); input && input->requires_grad)
      leaves.push_back(input->name);
  Chain chain = one.chain;
  std::vector<std::vector<Value>> named(2);
  for (int turn = 0; turn < 2; ++turn) {
    for (const Value leaf : leaves) {
      named[turn].push_back(static_cast<Value>(chain.names.size()));
      chain.names.push_back("g" + std::to_string(turn) + "_" + chain.names[leaf]);
    }
    chain.statements.emplace_back(
        Backward{.roots = one.roots, .wrt = leaves, .cotangent = Spec{}, .retain_graph = true, .results = named[turn]});
  }
  const Outcome outcome = execute(chain, {});
  if (outcome.refusal && outcome.refusal->id == "E30") RC_DISCARD("some leaf is unused");
  RC_ASSERT(!outcome.refusal);
  for (std::size_t i = 0; i < leaves.size(); ++i)
    RC_ASSERT(first_bit_difference(outcome.values[named[0][i]]->data, outcome.values[named[1][i]]->data) < 0);
}

/// Numbers that stay normal when scaled: the scaling is exact then.
bool is_tame(const Outcome& outcome) {
  for (const auto& gradient : outcome.gradients)
    for (const double x : gradient ? gradient->data : std::vector<double>())
      if (x != 0 && !(std::abs(x) > 1e-200 && std::abs(x) < 1e200)) return false;
  return true;
}

RC_GTEST_PROP(Algebra, Scaling_the_cotangent_by_a_power_of_two_scales_the_gradient_to_the_bit, ()) {
  const Rooted one = drawn_rooted();
  const double factor =
      std::ldexp(1.0, *rc::gen::inRange(-8, 9));  // positive: a gradient that nothing reaches stays +0
  const Cotangents cotangents = cotangent_values(Spec{}, one.shapes, one.types);
  const Outcome plain = execute(with_cotangents(one, cotangents), {});
  const Outcome larger = execute(with_cotangents(one, scaled(cotangents, factor)), {});
  RC_ASSERT(!plain.refusal && !larger.refusal);
  if (!is_tame(plain)) RC_DISCARD("denormal or huge gradients");
  RC_ASSERT(first_difference(larger.gradients, plain.gradients, factor) == dropped);
}

RC_GTEST_PROP(Algebra, A_cotangent_of_zero_gives_a_gradient_of_zero, ()) {
  const Rooted one = drawn_rooted();
  const Cotangents none = scaled(cotangent_values(Spec{}, one.shapes, one.types), 0);
  const Outcome outcome = execute(with_cotangents(one, none), {});
  const Outcome plain = execute(with_cotangents(one, cotangent_values(Spec{}, one.shapes, one.types)), {});
  RC_ASSERT(!outcome.refusal && !plain.refusal);
  if (!is_tame(plain)) RC_DISCARD("infinite derivatives");
  for (const auto& gradient : outcome.gradients)
    for (const double x : gradient ? gradient->data : std::vector<double>()) RC_ASSERT(x == 0);
}

RC_GTEST_PROP(Algebra, The_gradient_of_a_sum_of_cotangents_is_the_sum_of_gradients, ()) {
  const Rooted one = drawn_rooted();
  const Cotangents first = cotangent_values(Spec{.seed = 1}, one.shapes, one.types);
  const Cotangents second = cotangent_values(Spec{.seed = 2}, one.shapes, one.types);
  Cotangents both = first;
  for (std::size_t r = 0; r < both.size(); ++r)
    for (std::size_t e = 0; e < both[r].size(); ++e) both[r][e] += second[r][e];
  const Chain chain = with_cotangents(one, both);
  const auto typed = type_chain(chain);
  const Reference reference = run_reference(chain, std::get<Typed>(typed), {});
  const Outcome a = execute(with_cotangents(one, first), {}), b = execute(with_cotangents(one, second), {});
  const Outcome sum = execute(chain, {});
  RC_ASSERT(!a.refusal && !b.refusal && !sum.refusal);
  if (!is_tame(sum) || !is_tame(a) || !is_tame(b) || !reference.open.empty()) RC_DISCARD("denormal or huge gradients");
  for (std::size_t value = 0; value < sum.gradients.size(); ++value) {
    RC_ASSERT(sum.gradients[value].has_value() == (a.gradients[value] || b.gradients[value]));
    if (!sum.gradients[value]) continue;
    const auto &x = a.gradients[value]->data, &y = b.gradients[value]->data, &z = sum.gradients[value]->data;
    double scale = 0;
    for (std::size_t e = 0; e < z.size(); ++e)
      scale = std::max({scale, std::abs(x[e]), std::abs(y[e]), std::abs(z[e])});
    for (std::size_t e = 0; e < z.size(); ++e) {
      const double allowed =
          1e-10 * scale + 64 * (reference.gradients[value] ? reference.gradients[value]->spread[e] : 0);
      RC_ASSERT(std::abs(z[e] - (x[e] + y[e])) <= allowed);
    }
  }
}

}  // namespace
}  // namespace gradsmith
