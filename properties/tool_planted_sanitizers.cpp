// What is wrong in our own code is caught in a build with sanitizers, in the processes that judge too, and by nothing
// else; right ops are accused by none.
#include <gtest/gtest.h>

#include <ostream>

#include "harness/op.hpp"
#include "harness/sanitizers.hpp"
#include "properties/child_program.hpp"
#include "properties/planted.hpp"

namespace gradsmith {

/// How a test names its fault.
void PrintTo(const PlantedForSanitizer& fault, std::ostream* out) { *out << fault.op; }

namespace {

using testing::Finished;
using testing::Program;
using testing::Scratch;

Finished replay(std::string_view op) {
  const Scratch scratch;
  const std::string file = scratch.file(
      "fault.chain",
      "gradsmith 1\n# expect: pass\na = input f64[3] requires_grad values=[1, 2, 3]\nv1 = " + std::string(op) + "(a)\n");
  return Program(GRADSMITH_PLANTED_BINARY, {"replay", file, "--witness", "expectation,reference"}).wait();
}

void expect_caught(std::string_view op, std::string_view report) {
  const Finished run = replay(op);
  if (!has_sanitizers()) {
    EXPECT_EQ(run.code, 0) << run.out << run.err << "nothing else may see it";
    return;
  }
  EXPECT_NE(run.code, 0) << run.out;
  EXPECT_NE(run.err.find(report), std::string::npos) << run.out << run.err;
}

class SanitizerFault : public ::testing::TestWithParam<PlantedForSanitizer> {};

TEST_P(SanitizerFault, Is_caught_where_there_are_sanitizers) { expect_caught(GetParam().op, GetParam().report); }

INSTANTIATE_TEST_SUITE_P(Planted, SanitizerFault, ::testing::ValuesIn(planted_for_sanitizers()),
                         [](const auto& info) { return std::string(info.param.op); });

TEST(SanitizerFaults, Of_memory_are_those_of_the_lane_guard) {
  expect_caught("bad_sin_reads_past_end", "AddressSanitizer: heap-buffer-overflow");
  expect_caught("bad_sin_reads_freed", "AddressSanitizer: heap-use-after-free");
}

TEST(SanitizerControls, Are_never_accused) {
  for (const std::string_view op : controls()) {
    if (find_op(op)->params.size() > 1) continue;
    const Finished run = replay(op);
    EXPECT_EQ(run.code, 0) << op << "\n" << run.out << run.err;
    EXPECT_EQ(run.err, "") << op;
  }
}

}  // namespace
}  // namespace gradsmith
