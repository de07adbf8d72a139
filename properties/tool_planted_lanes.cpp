// Every fault planted for a lane is found by that lane and by no plain run, and reduced to the chain that shows it; right
// ops are accused by none. From outside, since some of the faults end the process.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "harness/sanitizers.hpp"
#include "properties/child_program.hpp"
#include "properties/planted.hpp"

namespace gradsmith {

/// How a test names its fault.
void PrintTo(const PlantedForLane& fault, std::ostream* out) { *out << fault.op; }

namespace {

using testing::body;
using testing::content;
using testing::Finished;
using testing::Program;
using testing::Scratch;
using Json = nlohmann::json;

Finished run_planted(const std::string& out, const std::string& ops, const std::vector<std::string>& more) {
  // Planted ops are right in reverse mode alone.
  std::vector<std::string> arguments{"run", "--seed", "7", "--ops", ops + ",mul,exp,narrow,transpose", "--out", out,
                                     "--witness", "expectation,reference,twin,difference,memory,time"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return Program(GRADSMITH_PLANTED_BINARY, arguments).wait();
}

std::vector<Json> new_findings(const std::string& out) {
  std::vector<Json> found;
  const Json summary = Json::parse(content(out + "/summary.json"));
  for (const Json& finding : summary["findings"])
    if (!finding["known"]) found.push_back(finding);
  return found;
}

class PlantedLaneFault : public ::testing::TestWithParam<PlantedForLane> {};

TEST_P(PlantedLaneFault, Is_found_by_its_lane_and_reduced_to_what_shows_it) {
  const PlantedForLane& fault = GetParam();
  const Scratch scratch;
  const std::string out = scratch / "out", lane(lane_name(fault.lane)), op(fault.op);
  const Finished run = run_planted(out, op, {"--cases", "60", "--lane", lane});
  ASSERT_EQ(run.code, 1) << run.out << run.err;
  const std::vector<Json> found = new_findings(out);
  const std::string wanted = std::string(finding_name(fault.kind)) + "." + std::string(fault.guilty) + "." +
                             std::string(fault.detail) + ".f64.cpu";
  const auto at = std::find_if(found.begin(), found.end(), [&](const Json& f) { return f["signature"] == wanted; });
  ASSERT_NE(at, found.end()) << run.out;
  const std::string file = out + "/" + (*at)["file"].get<std::string>();
  EXPECT_EQ(body(content(file)), fault.minimum);
  EXPECT_EQ(Program(GRADSMITH_PLANTED_BINARY, {"replay", file}).wait().code, 0) << "the stored chain asks for its lane";
}

INSTANTIATE_TEST_SUITE_P(Planted, PlantedLaneFault, ::testing::ValuesIn(planted_for_lanes()),
                         [](const auto& info) { return std::string(info.param.op); });

TEST(PlantedLaneFaults, Are_hidden_from_a_run_without_lanes) {
  if (has_sanitizers()) GTEST_SKIP() << "AddressSanitizer sees some of them";
  std::string ops;
  for (const PlantedForLane& fault : planted_for_lanes())
    if (fault.op != "bad_sin_drifts" && fault.op != "bad_sin_reads_fresh")  // a twin, or luck, may see these
      ops += std::string(ops.empty() ? "" : ",") + std::string(fault.op);
  const Scratch scratch;
  const Finished run = run_planted(scratch / "out", ops, {"--cases", "2000"});
  EXPECT_EQ(run.code, 0) << run.out << run.err;
}

TEST(PlantedLaneControls, Are_never_accused) {
  std::string ops;
  for (const auto name : controls()) ops += std::string(ops.empty() ? "" : ",") + std::string(name);
  const Scratch scratch;
  const Finished run = run_planted(scratch / "out", ops, {"--cases", "5000", "--lane", "guard,determinism,leak"});
  EXPECT_EQ(run.code, 0) << run.out << run.err;
  EXPECT_EQ(new_findings(scratch / "out").size(), 0u) << run.out;
}

}  // namespace
}  // namespace gradsmith
