// Costs of chains: exact bytes, the three classes of in-place activations, leaks, and how deltas are summed.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "harness/judge.hpp"
#include "harness/parse.hpp"
#include "harness/tally.hpp"

namespace gradsmith {
namespace {

class Costs : public testing::Test {
 protected:
  static void SetUpTestSuite() { initialize_libtorch(); }
};

Verdict judged(const std::string& body) {
  auto chain = parse("gradsmith 1\n" + body);
  EXPECT_TRUE(std::holds_alternative<Chain>(chain)) << body;
  return judge(std::get<Chain>(chain));
}

constexpr std::int64_t buffer = 128 * sizeof(double);

/// What an in-place activation on a tensor that nobody else keeps saves in training, in buffers.
struct Class {
  std::int64_t live, peak;
};
Class class_of(const std::string& call) {
  const Verdict verdict =
      judged("x = input f64[128] requires_grad values=uniform(0.1, 0.9, 1)\nh = add(x, 1)\n" + call + "\n");
  EXPECT_EQ(verdict.status, Status::pass) << call << ": " << verdict.signature.text();
  for (const StepDelta& delta : verdict.deltas)
    if (delta.inplace) {
      EXPECT_TRUE(delta.recorded);
      EXPECT_EQ(delta.target, buffer);
      return {delta.live / buffer, delta.peak / buffer};
    }
  ADD_FAILURE() << "no delta of " << call;
  return {};
}

TEST_F(Costs, Result_kept_in_both_forms_saves_only_the_peak) {
  for (const char* call : {"relu_(h)", "sigmoid_(h)", "tanh_(h)", "exp_(h)"}) {
    EXPECT_EQ(class_of(call).live, 0) << call;
    EXPECT_EQ(class_of(call).peak, 1) << call;
  }
}

TEST_F(Costs, A_formula_of_its_own_saves_a_buffer_for_good) {
  for (const char* call : {"leaky_relu_(h)", "elu_(h)", "celu_(h)", "selu_(h)"}) {
    EXPECT_EQ(class_of(call).live, 1) << call;
    EXPECT_EQ(class_of(call).peak, 1) << call;
  }
}

TEST_F(
    Costs,
    A_clone_of_the_operand_saves_nothing) {  // hardtanh_ and relu6_ are here since 1.10: a later release may move them
  for (const char* call : {"relu6_(h)", "hardtanh_(h)", "threshold_(h, threshold=0, value=0)", "clamp_(h, min=0)",
                           "silu_(h)", "mish_(h)", "gelu_(h)", "hardswish_(h)"}) {
    EXPECT_EQ(class_of(call).live, 0) << call;
    EXPECT_EQ(class_of(call).peak, 0) << call;
  }
}

TEST_F(Costs, Bytes_of_a_chain_are_exact_and_equal_in_every_run) {
  const std::string chain = "x = input f64[128] requires_grad values=normal(1)\nh = neg(x)\nsilu_(h)\n";
  const Cost first = judged(chain).outcome.cost;
  EXPECT_EQ(first.live, 3 * buffer) << "x, h, and the clone that silu_ keeps";
  EXPECT_EQ(first.saved, buffer) << "the clone";
  EXPECT_GE(first.peak, first.live);
  EXPECT_EQ(first.leaked, 0);
  EXPECT_GT(first.forward_nanoseconds, 0);
  EXPECT_GT(first.backward_nanoseconds, 0);
  const Cost again = judged(chain).outcome.cost;
  EXPECT_EQ(first.peak, again.peak);
  EXPECT_EQ(first.allocations, again.allocations);
}

TEST_F(Costs, A_node_that_keeps_its_own_result_leaks_until_a_backward_frees_it) {
  const std::string leaf = "a = input f64[] requires_grad values=[1]\nb = neg(a)\nbackward(b)\n";
  const Verdict leak = judged(leaf + "mul_(b, b)\n");
  EXPECT_EQ(leak.status, Status::finding);
  EXPECT_EQ(leak.signature.text(), "leak.autograd.cycle.f64.cpu");
  EXPECT_EQ(judged(leaf + "mul_(b, 2)\n").status, Status::pass);
}

TEST_F(Costs, Slowness_is_not_judged_on_large_tensors) {
  const Verdict verdict = judged("a = input f64[5000] values=normal(1)\nb = neg(a)\n");
  const auto time = std::find_if(verdict.testimonies.begin(), verdict.testimonies.end(),
                                 [](const Testimony& t) { return t.witness == Witness::time; });
  ASSERT_NE(time, verdict.testimonies.end());
  EXPECT_EQ(time->opinion, Opinion::skipped);
  EXPECT_EQ(time->reason, "large tensors");
}

TEST(RatioHistogram, Finds_the_median_to_the_width_of_a_class_in_any_order) {
  std::mt19937 random(5);
  std::vector<std::int64_t> times;
  for (std::int64_t i = 1; i <= 999; ++i) times.push_back(10 * i);
  RatioHistogram sorted, shuffled;
  for (const std::int64_t time : times) sorted.add(RatioHistogram::class_of(time, 1000));
  std::shuffle(times.begin(), times.end(), random);
  for (const std::int64_t time : times) shuffled.add(RatioHistogram::class_of(time, 1000));
  EXPECT_NEAR(sorted.median(), 5.0, 0.15);
  EXPECT_EQ(sorted.median(), shuffled.median());
  EXPECT_EQ(RatioHistogram().median(), 0);
  EXPECT_EQ(RatioHistogram::class_of(1, 1'000'000), 0);
  EXPECT_EQ(RatioHistogram::class_of(1'000'000, 0), RatioHistogram::classes - 1);
}

TEST_F(Costs, Deltas_survive_the_way_to_the_parent) {
  auto chain = parse("gradsmith 1\nx = input f64[8] requires_grad values=normal(1)\nh = neg(x)\nsilu_(h)\nelu_(h)\n");
  const Verdict verdict = judge(std::get<Chain>(chain));
  const CaseReport report = case_report(std::get<Chain>(chain), verdict), back = decode(encode(report));
  ASSERT_EQ(back.deltas.size(), 3u);
  for (std::size_t i = 0; i < back.deltas.size(); ++i) {
    EXPECT_EQ(back.deltas[i].op, report.deltas[i].op);
    EXPECT_EQ(back.deltas[i].inplace, report.deltas[i].inplace);
    EXPECT_EQ(back.deltas[i].ratio, report.deltas[i].ratio);
    EXPECT_EQ(back.deltas[i].live, report.deltas[i].live);
    EXPECT_EQ(back.deltas[i].target, report.deltas[i].target);
  }
  Tally tally;
  tally.add(back);
  EXPECT_EQ(tally.deltas.size(), 2u);
  EXPECT_EQ(tally.control.total(), 1u);
}

}  // namespace
}  // namespace gradsmith
