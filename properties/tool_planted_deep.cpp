// Faults that need a history are found by their witness, and only with it; whatever surrounds them is cut away.
#include <gtest/gtest.h>

#include <ostream>

#include "harness/generate.hpp"
#include "harness/judge.hpp"
#include "harness/print.hpp"
#include "harness/reduce.hpp"
#include "properties/chains.hpp"
#include "properties/planted.hpp"

namespace gradsmith {

/// How a test names its fault.
void PrintTo(const DeepPlanted& fault, std::ostream* out) { *out << fault.op; }

namespace {

class DeepFault : public testing::TestWithParam<DeepPlanted> {
 protected:
  static void SetUpTestSuite() { initialize_libtorch(); }
  Chain minimum() const { return parse_or_die("gradsmith 1\n" + std::string(GetParam().minimum)); }
  /// Its own witness, asked alone, finds what the table says.
  bool shows(const Chain& chain) const {
    Plan plan{.witnesses = {}, .guilt = false};
    plan.witnesses[static_cast<std::size_t>(GetParam().witness)] = true;
    const Verdict verdict = judge(chain, plan);
    return verdict.status == Status::finding && verdict.signature.kind == GetParam().kind;
  }
  std::string reduced(const Chain& chain) const {
    return print(reduce(chain, [this](const Chain& c) { return shows(c); }, {.tries = 200000, .seconds = 3600}).chain);
  }
};

TEST_P(DeepFault, Is_found_by_its_witness_and_needs_all_of_its_history) {
  const Chain chain = minimum();
  EXPECT_GE(step_count(chain), 3);
  ASSERT_TRUE(shows(chain));
  EXPECT_EQ(judge(chain).status, Status::finding) << "with all witnesses";
  EXPECT_EQ(reduced(chain), print(chain));
}

TEST_P(DeepFault, Shows_nothing_in_one_step) {
  const std::string op(GetParam().op), inputs = "gradsmith 1\na = input f64[3] requires_grad values=normal(1)\n";
  const Op& entry = *find_op(op);
  if (entry.inplace) {
    EXPECT_EQ(judge(parse_or_die(inputs + "v1 = clone(a)\n" + op + "_(v1)\n")).status, Status::pass);
  }
  const std::string operands = entry.params.size() == 2 ? "(a, a)\n" : "(a)\n";
  EXPECT_EQ(judge(parse_or_die(inputs + "v1 = " + op + operands)).status, Status::pass);
}

TEST_P(DeepFault, Is_cut_out_of_longer_chains) {
  int longer = 0;
  for (std::uint64_t seed = 0; longer < 3 && seed < 200; ++seed) {
    Choices choices(seed);
    const Chain chain = extend(minimum(), choices, Growth::step, 3);
    if (step_count(chain) == step_count(minimum()) || !shows(chain)) continue;
    ++longer;
    EXPECT_LE(step_count(parse_or_die(reduced(chain))), step_count(minimum())) << print(chain);
  }
  EXPECT_EQ(longer, 3);
}

INSTANTIATE_TEST_SUITE_P(Deep, DeepFault, testing::ValuesIn(deep_planted()),
                         [](const auto& info) { return std::string(info.param.op); });

}  // namespace
}  // namespace gradsmith
