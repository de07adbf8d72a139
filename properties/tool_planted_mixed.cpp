// Faults planted in mixed types are found, laid at their own door and reduced to at most three steps; right ops are
// accused in none.
#include <gtest/gtest.h>

#include <ostream>

#include "harness/blame.hpp"
#include "harness/generate.hpp"
#include "harness/judge.hpp"
#include "harness/print.hpp"
#include "harness/reduce.hpp"
#include "properties/chains.hpp"
#include "properties/planted.hpp"

namespace gradsmith {

/// How a test names its fault.
void PrintTo(const PlantedForMixed& fault, std::ostream* out) { *out << fault.op; }

namespace {

constexpr std::uint64_t programs = 4000;

Knobs mixed_among(std::vector<std::string_view> names) {
  Knobs knobs = among(std::move(names), {"mul", "add", "sin", "sum", "narrow", "transpose", "copy", "to"});
  knobs.mixed = true;
  return knobs;
}

class PlantedMixedFault : public testing::TestWithParam<PlantedForMixed> {};

TEST_P(PlantedMixedFault, Is_found_and_reduced) {
  constexpr int starts = 4;
  const PlantedForMixed& fault = GetParam();
  const Knobs knobs = mixed_among({fault.op});
  int found = 0;
  for (std::uint64_t seed = 0; seed < programs && found < starts; ++seed) {
    Choices choices(seed);
    const Chain start = generate(choices, knobs);
    const Signature signature = judge(start).signature;
    if (signature.kind == FindingKind::none) continue;
    ++found;
    EXPECT_TRUE(signature.text().starts_with(fault.signature)) << signature.text() << "\n" << print(start);
    EXPECT_EQ(signature.dtype, "mixed");
    const Reduced reduced =
        reduce(start, [&](const Chain& chain) { return same_bug(signature, judge(chain).signature); },
               {.tries = 200000, .seconds = 3600});
    EXPECT_LE(step_count(reduced.chain), 3) << print(reduced.chain) << "from\n" << print(start);
  }
  EXPECT_EQ(found, starts) << "in " << programs << " programs";
}

INSTANTIATE_TEST_SUITE_P(Planted, PlantedMixedFault, testing::ValuesIn(planted_for_mixed()),
                         [](const auto& info) { return std::string(info.param.op); });

TEST(PlantedMixedControls, Are_never_accused) {
  const Knobs knobs = mixed_among(controls());
  for (std::uint64_t seed = 0; seed < programs; ++seed) {
    Choices choices(seed);
    const Chain chain = generate(choices, knobs);
    const Verdict verdict = judge(chain);
    ASSERT_NE(verdict.status, Status::finding) << verdict.signature.text() << "\n" << print(chain);
  }
}

}  // namespace
}  // namespace gradsmith
