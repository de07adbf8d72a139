// Faults of forward mode and of double backward are seen by their own witness and by no other; right ops by neither.
#include <gtest/gtest.h>

#include "harness/generate.hpp"
#include "harness/judge.hpp"
#include "harness/op.hpp"
#include "harness/print.hpp"
#include "properties/chains.hpp"
#include "properties/planted.hpp"

namespace gradsmith {
namespace {

Plan asking(Witness witness) {
  Plan plan{.witnesses = {}, .guilt = false};
  plan.witnesses[static_cast<std::size_t>(witness)] = true;
  return plan;
}

class PlantedModes : public testing::Test {
 protected:
  static void SetUpTestSuite() { initialize_libtorch(); }
};

TEST_F(PlantedModes, Are_seen_by_their_own_witness_alone) {
  int faults = 0;
  for (const Planted& fault : planted()) {
    if (fault.witness != Witness::forward && fault.witness != Witness::second) continue;
    ++faults;
    const Chain chain = parse_or_die("gradsmith 1\n" + std::string(fault.minima[0].chain));
    for (std::size_t w = 0; w < witness_count; ++w) {
      const auto witness = static_cast<Witness>(w);
      const Verdict verdict = judge(chain, asking(witness));
      EXPECT_EQ(verdict.status == Status::finding, witness == fault.witness)
          << fault.op << " by " << witness_name(witness);
    }
  }
  EXPECT_GE(faults, 4);
}

TEST_F(PlantedModes, Right_ops_are_never_accused) {
  for (const Witness witness : {Witness::forward, Witness::second}) {
    Knobs knobs;
    for (const auto name : controls())  // good_sin_ keeps a copy without a history: right once, not twice
      if (witness != Witness::second || name != "good_sin") knobs.ops.push_back(find_op(name));
    for (const auto name : {"mul", "add", "sin", "sum", "narrow", "transpose", "expand", "relu"})
      knobs.ops.push_back(find_op(name));
    int agreed = 0;
    for (std::uint64_t seed = 0; seed < 5000; ++seed) {
      Choices choices(seed);
      const Chain chain = generate(choices, knobs);
      const Verdict verdict = judge(chain, asking(witness));
      ASSERT_NE(verdict.status, Status::finding) << verdict.testimonies[0].reason << "\n" << print(chain);
      agreed += verdict.testimonies[0].opinion == Opinion::agree;
    }
    EXPECT_GT(agreed, 1000) << witness_name(witness);
  }
}

}  // namespace
}  // namespace gradsmith
