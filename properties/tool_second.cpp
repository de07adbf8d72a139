// The witness of double backward: what it judges, what it foresees, and where it holds back.
#include <gtest/gtest.h>

#include "harness/judge.hpp"
#include "harness/reference.hpp"
#include "properties/chains.hpp"

namespace gradsmith {
namespace {

std::string words_of(const std::string& text) {
  initialize_libtorch();
  Plan plan{.witnesses = {}};
  plan.witnesses[static_cast<std::size_t>(Witness::second)] = true;
  const Testimony t = judge(parse_or_die("gradsmith 1\n" + text), plan).testimonies.at(0);
  return std::string(opinion_name(t.opinion)) + (t.reason.empty() ? "" : ": " + t.reason);
}

TEST(Second, Judges_writes_and_views) {
  EXPECT_EQ(words_of("a = input f64[2, 3] requires_grad\nb = input f64[3] requires_grad values=normal(1)\nv1 = sin(a)\n"
                     "v2 = narrow(v1, dim=0, start=1, length=1)\nadd_(v2, b)\nv3 = prod(v1)\nv4 = sin(v3)\nexp_(v4)\n"),
            "agree");
}

TEST(Second, Leaves_out_what_is_detached) {
  EXPECT_EQ(
      words_of("a = input f64[3] requires_grad\nv1 = sin(a)\nv2 = detach(v1)\nv3 = mul(v1, v2)\nv4 = mul(v3, v3)\n"),
      "agree");
}

TEST(Second, Foresees_gradients_that_cannot_be_differentiated) {
  EXPECT_EQ(words_of("a = input f64[3] requires_grad\nv1 = hardsigmoid(a)\nv2 = sin(v1)\n"),
            "agree: refused as it must be: E23");
}

TEST(Second, Is_for_float64_and_for_chains_that_end_in_one_backward) {
  EXPECT_EQ(words_of("a = input f32[3] requires_grad\nv1 = sin(a)\n"), "skipped: float64 only");
  EXPECT_EQ(words_of("a = input f64[3]\nv1 = sin(a)\n"), "skipped: no gradient of leaves");
  EXPECT_EQ(words_of("a = input f64[] requires_grad\nv1 = sin(a)\nbackward(v1)\n"), "skipped: a backward of its own");
}

TEST(Second, Judges_what_rounds_on_its_way_and_leaves_open_what_leaves_the_range) {
  EXPECT_EQ(words_of("a = input f64[] requires_grad values=[0.12]\n"
                     "b = input f64[16, 1] requires_grad values=normal(2)\nv1 = prod(b, dim=-1)\nv2 = lerp(a, a, b)\nv3 = clone(a)\n"),
            "agree");
  EXPECT_EQ(words_of("a = input f64[2] requires_grad values=[-3e-308, 2]\nv1 = prod(a)\nv2 = mul(v1, 20)\n"),
            "inconclusive: a replica takes another branch");
  EXPECT_EQ(words_of("a = input f64[2] requires_grad values=[-3e-290, 2]\nv1 = prod(a)\nv2 = mul(v1, 20)\n"), "agree");
}

TEST(Second, Has_the_second_derivative_of_what_is_saturated) {
  for (const char* op : {"mish", "silu"})
    for (const char* number : {"41", "700", "-700"})
      EXPECT_EQ(words_of(std::string("a = input f64[] requires_grad values=[") + number + "]\nv1 = " + op + "(a)\n"),
                "agree")
          << op << " of " << number;
  const std::string beyond = words_of("a = input f64[] requires_grad values=[1e+300]\nv1 = mish(a)\n");
  EXPECT_TRUE(beyond.starts_with("disagree: second a[0] derivative")) << beyond;
}

/// Both derivatives of f(x) = maths(x) at one point, by the tape on duals.
std::pair<double, double> derivatives(double at, const std::function<Var(const Var&)>& maths) {
  const Duals duals;
  Tape& tape = Tape::active();
  tape.clear();
  Noise::restart(1);
  const int leaf = tape.leaf(at, 1);
  const Var y = maths(Var(tape.moving(at, leaf), leaf));
  std::vector<Lanes> adjoint(tape.size());
  adjoint[y.node] = 1.0;
  tape.sweep(adjoint);
  return {adjoint[leaf].exact(), adjoint[leaf].tangent()};
}

TEST(Second, The_tape_on_duals_gives_both_derivatives) {
  const auto cube = derivatives(2, [](const Var& x) { return x * x * x; });
  EXPECT_EQ(cube.first, 12);
  EXPECT_EQ(cube.second, 12);
  const auto quotient = derivatives(2, [](const Var& x) { return Var(1.0) / x; });
  EXPECT_EQ(quotient.first, -0.25);
  EXPECT_EQ(quotient.second, 0.25);
  const auto soft = derivatives(0.5, [](const Var& x) { return tanh(x); });
  const double t = std::tanh(0.5);
  EXPECT_DOUBLE_EQ(soft.first, 1 - t * t);
  EXPECT_DOUBLE_EQ(soft.second, -2 * t * (1 - t * t));
  const auto logarithm = derivatives(4, [](const Var& x) { return log(sqrt(x)); });
  EXPECT_DOUBLE_EQ(logarithm.first, 0.125);
  EXPECT_DOUBLE_EQ(logarithm.second, -0.03125);
}

}  // namespace
}  // namespace gradsmith
