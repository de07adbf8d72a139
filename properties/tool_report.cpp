// Reports: what they say of given facts, byte for byte; what is read from an output folder; what is no such folder.
#include <gtest/gtest.h>

#include <filesystem>

#include "harness/report.hpp"
#include "properties/child_program.hpp"
#include "properties/golden.hpp"

namespace gradsmith::testing {
namespace {

const std::string source = GRADSMITH_SOURCE_DIR;

OpDelta delta(std::uint64_t steps, std::int64_t live, std::int64_t peak, double ratio) {
  OpDelta out{.steps = steps, .live = live, .peak = peak, .target = static_cast<std::int64_t>(steps) * 64};
  out.ratio.add(RatioHistogram::class_of(static_cast<std::int64_t>(1000 * ratio), 1000), steps);
  return out;
}

/// Two runs with everything a report can say, awkward characters included.
Report sample() {
  ReportedRun first{.folder = "out/a|b",
                    .version = "0.1.0",
                    .libtorch = "2.11.0",
                    .cpu = "AVX2",
                    .device = "cpu",
                    .dtype = "f64",
                    .seed = 7,
                    .seconds = 12.25,
                    .finished = true,
                    .programs = 10000,
                    .accepted = 7000,
                    .agreed_raise = 3000,
                    .known_hole = 14,
                    .inconclusive = 3};
  first.witnesses = {{"expectation", 10000, 0, 0, 0}, {"reference", 6990, 2, 8, 3000}};
  first.findings = {
      {"wrong-gradient.relu_.large.f64.cpu",
       "wrong-gradient",
       "out/a|b/findings/wrong-gradient.relu_.large.f64.cpu/case.chain",
       {"relu_"},
       2,
       false,
       1,
       "wrong-gradient relu_: a[0]: observed 1, expected <0> & \"more\" (reference)",
       "gradsmith 1\na = input f64[] requires_grad values=[0]\nv1 = clone(a)\nrelu_(v1)\n"},
      {"leak.mul_.graph.f64.cpu", "leak", "corpus/known/leak-mul.chain", {"mul_"}, 1234, true, 2, {}, {}}};
  first.ops = {{"clone", {10, 0}}, {"relu", {20, 30}}, {"zeta", {0, 0}}};
  first.deltas["relu_"] = {delta(20, 0, 1280, 0.5), delta(10, 0, 640, 0.5)};
  first.deltas["silu_"] = {delta(8, 0, 0, 1.25), {}};
  first.control.add(RatioHistogram::class_of(100, 100), 50);
  first.coverage = {{"writes", 90, 100, {"`sigmoid_` then `mul_` on an overlapping view, before backward"}},
                    {"errors", 20, 20, {}}};
  first.course = {{30, 1000, 1200, 90, 0, {210, 180}}, {60, 2500, 1234, 101, 1, {212, 181}}};
  ReportedRun second = first;
  second.folder = "out/c";
  second.seed.reset();
  second.finished = false;
  second.findings.clear();
  second.coverage.clear();
  second.course.clear();
  return {{first, second}};
}

TEST(Report, Says_in_Markdown_what_it_said_before) {
  EXPECT_EQ(differs_from_golden("report.md", markdown(sample())), "");
}
TEST(Report, Says_in_JUnit_XML_what_it_said_before) {
  EXPECT_EQ(differs_from_golden("report.xml", junit(sample())), "");
}

TEST(Report, Of_nothing_found_says_so_first) {
  Report report = sample();
  for (ReportedRun& run : report.runs) run.findings.clear();
  EXPECT_EQ(markdown(report).find("# GradSmith\n\n## No new findings\n"), 0u);
  EXPECT_EQ(junit(report).find("<failure"), std::string::npos);
}

TEST(Report, Of_several_runs_adds_up_what_their_ops_did) {
  const ReportTotals sums = totals(sample());
  EXPECT_EQ(sums.ops.at("relu").in_place, 60u);
  EXPECT_EQ(sums.deltas.at("relu_").recorded.steps, 40u);
  EXPECT_EQ(sums.deltas.at("relu_").recorded.peak, 2 * 1280);
  EXPECT_EQ(sums.control.total(), 100u);
}

TEST(Report, A_run_writes_its_own_and_the_command_gives_the_same) {
  const Scratch scratch;
  const std::string out = scratch / "out", xml = scratch / "ci/junit.xml", page = scratch / "ci/report.md";
  const Finished run = gradsmith({"run", "--seed", "3", "--cases", "300", "--ops", "relu,silu,mul,add,narrow", "--out",
                                  out, "--junit", xml, "--markdown", page});
  ASSERT_EQ(run.code, 0) << run.out << run.err;
  const Finished report = gradsmith({"report", out});
  EXPECT_EQ(report.code, 0) << report.err;
  EXPECT_EQ(report.out, content(page));
  for (const char* part :
       {"## Witnesses", "| relu_ | training |", "| silu_ | training |", "| memory |", "## Environment"})
    EXPECT_NE(report.out.find(part), std::string::npos) << part << "\n" << report.out;
  const std::string check =
      "import sys, xml.etree.ElementTree as tree\n"
      "suites = tree.parse(sys.argv[1]).getroot()\n"
      "assert suites.tag == 'testsuites'\n"
      "for suite in suites:\n"
      "    cases = suite.findall('testcase')\n"
      "    assert int(suite.get('tests')) == len(cases) > 0\n"
      "    assert int(suite.get('failures')) == sum(case.find('failure') is not None for case in cases)\n"
      "    assert int(suite.get('skipped')) == sum(case.find('skipped') is not None for case in cases)\n"
      "    assert all(case.get('name') and case.get('classname') for case in cases)\n";
  for (const std::string& file : {xml, source + "/properties/golden/report.xml"}) {
    const Finished python = Program("/usr/bin/python3", {"-c", check, file}).wait();
    EXPECT_EQ(python.code, 0) << file << "\n" << python.err;
  }
}

TEST(Report, Of_what_is_no_output_folder_is_refused_in_one_line) {
  const Scratch scratch;
  const auto refused = [&](const std::string& folder, const std::string& words) {
    const Finished report = gradsmith({"report", folder});
    EXPECT_EQ(report.code, 2) << folder;
    EXPECT_NE(report.err.find(words), std::string::npos) << report.err;
    EXPECT_EQ(report.err.find('\n'), report.err.size() - 1) << report.err;
  };
  refused(scratch / "none", "no folder");
  std::filesystem::create_directories(scratch.path / "empty");
  refused(scratch / "empty", "no summary.json");
  std::filesystem::create_directories(scratch.path / "text");
  scratch.file("text/summary.json", "hello");
  refused(scratch / "text", "summary.json:1:1: not JSON");
  std::filesystem::create_directories(scratch.path / "other");
  scratch.file("other/summary.json", "{\"version\": 3}");
  refused(scratch / "other", "no \"version\"");
  std::filesystem::create_directories(scratch.path / "list");
  scratch.file("list/summary.json", "[]");
  refused(scratch / "list", "no \"version\"");
  EXPECT_EQ(gradsmith({"report"}).code, 2);
}

TEST(Report, The_example_for_a_CI_service_uses_options_that_exist) {
  const std::string workflow = content(source + "/docs/github-actions.yml");
  EXPECT_EQ(workflow.find('\t'), std::string::npos) << "YAML takes no tabs";
  const auto start = workflow.find("build/release/gradsmith run ");
  ASSERT_NE(start, std::string::npos);
  const std::string command = workflow.substr(start, workflow.find('\n', start) - start);
  const std::string help = gradsmith({"run", "--help"}).out;
  int options = 0;
  for (std::size_t at = command.find("--"); at != std::string::npos; at = command.find("--", at + 2), ++options)
    EXPECT_NE(help.find(command.substr(at, command.find(' ', at) - at)), std::string::npos) << command.substr(at);
  EXPECT_EQ(options, 4);
}

}  // namespace
}  // namespace gradsmith::testing
