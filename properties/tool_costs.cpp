// Costs of chains: exact bytes under every allocator, the three classes of in-place activations, what is no slowness,
// and how deltas are summed.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "harness/evidence.hpp"
#include "harness/generate.hpp"
#include "harness/guard.hpp"
#include "harness/judge.hpp"
#include "harness/pairing.hpp"
#include "harness/print.hpp"
#include "harness/tally.hpp"
#include "properties/chains.hpp"
#include "properties/op_cases.hpp"

namespace gradsmith {
namespace {

class Costs : public testing::Test {
 protected:
  static void SetUpTestSuite() { initialize_libtorch(); }
};

Verdict judged(const std::string& body) { return judge(parse_or_die("gradsmith 1\n" + body)); }

constexpr std::int64_t buffer = 128 * sizeof(double);

/// Three steps that run in the chain and in its twin; times are taken of it.
Chain paired_chain() {
  Chain chain = parse_or_die("gradsmith 1\nx = input f64[8] requires_grad values=normal(1)\nh = neg(x)\nsilu_(h)\nelu_(h)\n");
  while (!is_paired(chain)) ++std::get<Input>(chain.statements[0]).values.seed;
  return chain;
}

Plan only(Witness witness) {
  Plan plan{.witnesses = {}};
  plan.witnesses[static_cast<std::size_t>(witness)] = true;
  return plan;
}

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

TEST_F(Costs, A_clone_of_the_operand_saves_nothing) {
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
  EXPECT_GT(first.forward_nanoseconds, 0);
  EXPECT_GT(first.backward_nanoseconds, 0);
  const Cost again = judged(chain).outcome.cost;
  EXPECT_EQ(first.peak, again.peak);
  EXPECT_EQ(first.allocations, again.allocations);
}

TEST_F(Costs, Slowness_is_not_judged_on_large_tensors) {
  const Verdict verdict = judged("a = input f64[65] values=normal(1)\nb = neg(a)\n");
  const auto time = std::find_if(verdict.testimonies.begin(), verdict.testimonies.end(),
                                 [](const Testimony& t) { return t.witness == Witness::time; });
  ASSERT_NE(time, verdict.testimonies.end());
  EXPECT_EQ(time->opinion, Opinion::skipped);
  EXPECT_EQ(time->reason, "large tensors");
}

TEST(RatioHistogram, Reads_its_own_text_and_no_other) {
  RatioHistogram histogram;
  histogram.add(0, 3);
  histogram.add(128);
  histogram.add(RatioHistogram::classes - 1, 1'000'000);
  EXPECT_EQ(histogram.text(), "0:3 128:1 256:1000000");
  EXPECT_EQ(RatioHistogram::from(histogram.text()), histogram);
  EXPECT_EQ(RatioHistogram::from(""), RatioHistogram());
  for (const char* text : {"1", "1:", ":1", "257:1", "-1:1", "1:1,2:2", "1:x", "x"})
    EXPECT_EQ(RatioHistogram::from(text), std::nullopt) << text;
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
  const Chain chain = paired_chain();
  const Verdict verdict = judge(chain);
  const CaseReport report = case_report(chain, verdict), back = decode(encode(report)).value();
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
  EXPECT_EQ(decode_tally(encode(tally)), tally);
  Tally twice = tally;
  twice.add(tally);
  EXPECT_EQ(twice.deltas.begin()->second.recorded.steps, 2u);
  EXPECT_EQ(twice.deltas.begin()->second.recorded.ratio.total(), 2u);
  EXPECT_EQ(twice.control.total(), 2u);
}

TEST_F(Costs, Bytes_are_taken_of_every_chain_and_times_of_a_share_that_the_chain_decides) {
  constexpr std::uint64_t programs = 20000;
  std::uint64_t paired = 0;
  for (std::uint64_t seed = 0; seed < programs; ++seed) {
    Choices choices(seed);
    paired += is_paired(generate(choices));
  }
  EXPECT_GT(paired, programs / 128);
  EXPECT_LT(paired, programs / 32);
  const Chain chain = paired_chain();
  Chain other = chain;
  while (is_paired(other)) ++std::get<Input>(other.statements[0]).values.seed;
  const auto timed = [](const Verdict& verdict) {
    return std::count_if(verdict.deltas.begin(), verdict.deltas.end(),
                         [](const StepDelta& delta) { return delta.ratio != StepDelta::untimed; });
  };
  EXPECT_EQ(timed(judge(chain)), 3);
  EXPECT_EQ(timed(judge(other)), 0);
  EXPECT_EQ(judge(other).deltas.size(), 2u) << "the two in-place steps";
}

/// The worst that values and layouts do to kernels, within the size that is judged.
TEST_F(Costs, Subnormal_numbers_and_strides_are_no_slowness) {
  for (const Op* op : product_ops()) {
    if (op->params.size() != 1 || op->shape || !op->pure) continue;
    for (const char* value : {"5e-310", "1e-3", "700", "-1e-310"}) {
      std::string numbers;
      for (int i = 0; i < 64; ++i) numbers += std::string(i ? ", " : "") + value;
      const Chain chain = parse_or_die("gradsmith 1\na = input f64[8, 8] strides=[1, 9] requires_grad values=[" + numbers +
                                       "]\nv1 = " + std::string(op->name) + "(a)\n");
      const Verdict verdict = judge(chain, only(Witness::time));
      EXPECT_NE(verdict.status, Status::finding) << headline(verdict) << "\n" << print(chain);
    }
  }
}

TEST_F(Costs, Are_the_same_bytes_under_the_guard_allocator) {
  const std::string chain = "x = input f64[128] requires_grad values=normal(1)\nh = neg(x)\nsilu_(h)\ny = logsumexp(h, dim=0)\n";
  const Cost plain = judged(chain).outcome.cost;
  use_guard(true);
  const Verdict verdict = judged(chain);
  use_guard(false);
  EXPECT_EQ(verdict.status, Status::pass) << headline(verdict);
  const Cost& guarded = verdict.outcome.cost;
  EXPECT_EQ(guarded.live, plain.live);
  EXPECT_EQ(guarded.peak, plain.peak);
  EXPECT_EQ(guarded.saved, plain.saved);
  EXPECT_EQ(guarded.allocations, plain.allocations);
  for (std::size_t i = 0; i < plain.steps.size(); ++i) {
    EXPECT_EQ(guarded.steps[i].live, plain.steps[i].live) << i;
    EXPECT_EQ(guarded.steps[i].peak, plain.steps[i].peak) << i;
  }
}

}  // namespace
}  // namespace gradsmith
