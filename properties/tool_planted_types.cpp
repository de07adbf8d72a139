// Every fault planted in a narrow type is found within 20,000 programs, laid at its own door and reduced to the chain that
// shows it; right ops are accused in none.
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>

#include "harness/blame.hpp"
#include "harness/generate.hpp"
#include "harness/judge.hpp"
#include "harness/print.hpp"
#include "harness/reduce.hpp"
#include "properties/planted.hpp"

namespace gradsmith {

/// How a test names its fault.
void PrintTo(const PlantedForType& fault, std::ostream* out) { *out << fault.op << " in " << dtype_name(fault.dtype); }

namespace {

constexpr std::uint64_t programs = 20000;

Knobs among_in(std::vector<std::string_view> names, DType dtype) {
  Knobs knobs = among(std::move(names));
  knobs.dtype = dtype;
  return knobs;
}

class PlantedTypeFault : public testing::TestWithParam<PlantedForType> {};

TEST_P(PlantedTypeFault, Is_found_and_reduced_to_one_text_from_every_start) {
  constexpr std::size_t starts = 6;
  const PlantedForType& fault = GetParam();
  const Knobs knobs = among_in({fault.op}, fault.dtype);
  std::size_t found = 0;
  for (std::uint64_t seed = 0; seed < programs && found < starts; ++seed) {
    Choices choices(seed);
    const Chain start = generate(choices, knobs);
    const Signature signature = judge(start).signature;
    if (signature.kind == FindingKind::none) continue;
    ++found;
    EXPECT_EQ(signature.text(), fault.minimum.signature) << print(start);
    const Reduced reduced = reduce(start, [&](const Chain& chain) { return same_bug(signature, judge(chain).signature); },
                                   {.tries = 200000, .seconds = 3600});
    EXPECT_EQ(print(reduced.chain), "gradsmith 1\n" + std::string(fault.minimum.chain)) << "from\n" << print(start);
  }
  EXPECT_EQ(found, starts) << "in " << programs << " programs";
}

INSTANTIATE_TEST_SUITE_P(Planted, PlantedTypeFault, testing::ValuesIn(planted_for_types()), [](const auto& info) {
  return std::string(info.param.op) + "_in_" + std::string(dtype_name(info.param.dtype));
});

TEST(PlantedTypeControls, Are_never_accused) {
  for (const DType dtype : {DType::f32, DType::bf16, DType::f16}) {
    const Knobs knobs = among_in(controls(), dtype);
    std::uint64_t passed = 0;
    for (std::uint64_t seed = 0; seed < programs / 4; ++seed) {
      Choices choices(seed);
      const Chain chain = generate(choices, knobs);
      const Verdict verdict = judge(chain);
      ASSERT_NE(verdict.status, Status::finding) << verdict.signature.text() << "\n" << print(chain);
      passed += verdict.status == Status::pass || verdict.status == Status::agreed_raise;
    }
    EXPECT_GT(passed, programs / 4 * 9 / 10);
  }
}

}  // namespace
}  // namespace gradsmith
