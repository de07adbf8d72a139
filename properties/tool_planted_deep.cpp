// Faults that need a history are found by their witness, and only with it; whatever surrounds them is cut away.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <ostream>

#include "harness/generate.hpp"
#include "harness/judge.hpp"
#include "harness/print.hpp"
#include "harness/reduce.hpp"
#include "harness/reduce_edit.hpp"
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
  ASSERT_TRUE(shows(chain));
  EXPECT_EQ(judge(chain).status, Status::finding) << "with all witnesses";
  EXPECT_EQ(reduced(chain), print(chain));
}

TEST_P(DeepFault, Is_as_deep_as_its_smallest_chain) {
  const Chain chain = minimum();
  int depth = 0;
  for (const Statement& statement : chain.statements) {
    const auto* step = std::get_if<Step>(&statement);
    depth += std::holds_alternative<Backward>(statement) || (step && step->op->name != "clone");
  }
  EXPECT_EQ(GetParam().depth, depth);
  EXPECT_GE(depth, 3);
}

TEST_P(DeepFault, Does_not_show_to_all_witnesses_with_one_step_less) {
  const Chain chain = minimum();
  int shorter = 0;
  for (std::size_t i = 0; i < chain.statements.size(); ++i) {
    if (!std::holds_alternative<Step>(chain.statements[i]) && !std::holds_alternative<Backward>(chain.statements[i])) continue;
    std::vector<bool> drop(chain.statements.size());
    drop[i] = true;
    Chain less = reducing::without(chain, drop);
    if (!reducing::mend(less) || !reducing::valid(less)) continue;
    ++shorter;
    const Verdict verdict = judge(less);  // may find what else is wrong: that a copy is kept costs memory
    EXPECT_FALSE(verdict.status == Status::finding && verdict.signature.kind == GetParam().kind) << print(less);
  }
  EXPECT_GE(shorter, 2);
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
  Chain start = minimum();  // without its last backward, which may refuse: what is refused is not extended
  std::optional<Statement> last;
  if (std::holds_alternative<Backward>(start.statements.back())) {
    last = start.statements.back();
    start.statements.pop_back();
  }
  int longer = 0;
  for (std::uint64_t seed = 0; longer < 3 && seed < 200; ++seed) {
    Choices choices(seed);
    Chain chain = extend(start, choices, Growth::step, 3);
    if (last) chain.statements.push_back(*last);
    if (step_count(chain) == step_count(minimum()) || !shows(chain)) continue;
    ++longer;
    EXPECT_LE(step_count(parse_or_die(reduced(chain))), step_count(minimum())) << print(chain);
  }
  EXPECT_EQ(longer, 3);
}

TEST(DeepFaults, Are_at_least_four_of_each_depth_from_three_to_six) {
  for (const int depth : {3, 4, 5, 6}) {
    const auto at = [&](const DeepPlanted& fault) { return fault.depth == depth; };
    EXPECT_GE(std::count_if(deep_planted().begin(), deep_planted().end(), at), 4) << depth;
  }
}

INSTANTIATE_TEST_SUITE_P(Deep, DeepFault, testing::ValuesIn(deep_planted()),
                         [](const auto& info) { return std::string(info.param.op); });

}  // namespace
}  // namespace gradsmith
