// `gradsmith run` from outside: equal results whatever the number of workers, and nothing lost when it is interrupted
// or killed.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <regex>
#include <thread>

#include "properties/child_program.hpp"

namespace gradsmith::testing {
namespace {

using Json = nlohmann::json;

Json summary_of(const std::string& folder) { return Json::parse(content(folder + "/summary.json")); }

/// Takes away what a clock has said; steps and bytes stay.
void drop_time_ratios(Json& json) {
  if (!json.is_object()) return;
  json.erase("time_ratio");
  json.erase("time_ratio_classes");
  for (auto& [key, value] : json.items()) drop_time_ratios(value);
}

/// Ops without a known issue, so that these tests are about the tool alone.
const std::vector<std::string> tame = {"--ops", "sigmoid,tanh,exp,mul,add,narrow"};

std::vector<std::string> run_arguments(const std::string& out, const std::vector<std::string>& more) {
  std::vector<std::string> arguments{"run", "--seed", "11", "--out", out};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

std::vector<std::string> tame_arguments(const std::string& out, const std::vector<std::string>& more) {
  std::vector<std::string> arguments = run_arguments(out, more);
  arguments.insert(arguments.end(), tame.begin(), tame.end());
  return arguments;
}

/// Waits until a run has judged something.
void wait_until_judging(const Program& program, const std::string& folder) {
  for (int tries = 0; tries < 3000; ++tries) {
    if (!program.children().empty() && content(folder + "/records.jsonl").find('\n') != std::string::npos) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  FAIL() << "the run does not get going";
}

TEST(Run, Gives_the_same_summary_whatever_the_number_of_workers) {
  const Scratch scratch;
  Json summaries[2];
  const char* jobs[2] = {"1", "3"};
  for (int i = 0; i < 2; ++i) {
    const std::string out = scratch / jobs[i];
    const Finished run = gradsmith(tame_arguments(out, {"--cases", "200", "--jobs", jobs[i]}));
    EXPECT_EQ(run.code, 0) << run.out << run.err;
    summaries[i] = summary_of(out);
    for (const char* time : {"seconds", "programs_per_second"}) summaries[i].erase(time);
    drop_time_ratios(summaries[i]);
  }
  EXPECT_EQ(summaries[0], summaries[1]);
  EXPECT_EQ(summaries[0]["programs"], 200);
  EXPECT_EQ(summaries[0]["finished"], true);
}

TEST(Run, The_summary_has_the_keys_that_others_rely_on) {
  const Scratch scratch;
  EXPECT_EQ(gradsmith(tame_arguments(scratch / "out", {"--cases", "50"})).code, 0);
  const Json summary = summary_of(scratch / "out");
  for (const char* key :
       {"version", "libtorch", "device", "dtype", "seed", "seconds", "programs", "accepted", "agreed_raise",
        "known_hole", "inconclusive", "discarded", "programs_per_second", "witness", "findings", "ops", "deltas", "control"})
    EXPECT_TRUE(summary.contains(key)) << key;
  for (const char* witness : {"expectation", "reference", "twin", "difference", "memory", "time", "forward", "second"})
    for (const char* key : {"agree", "disagree", "inconclusive", "skipped"})
      EXPECT_TRUE(summary["witness"][witness].contains(key)) << witness;
  const Finished counts = gradsmith({"ops", "--summary", scratch / "out/summary.json"});
  EXPECT_EQ(counts.code, 0);
  EXPECT_NE(counts.out.find("sigmoid"), std::string::npos);
}

TEST(Run, Only_the_ops_and_witnesses_asked_for_take_part) {
  const Scratch scratch;
  EXPECT_EQ(gradsmith(run_arguments(scratch / "out",
                                    {"--cases", "50", "--ops", "sigmoid_,mul", "--witness", "expectation,reference"}))
                .code,
            0);
  const Json summary = summary_of(scratch / "out");
  EXPECT_EQ(summary["witness"]["twin"]["agree"], 0);
  for (const auto& [name, uses] : summary["ops"].items()) {
    if (name == "sigmoid" || name == "mul") continue;
    EXPECT_EQ(uses["out_of_place"].get<int>() + uses["in_place"].get<int>(), 0) << name;
  }
}

TEST(Run, Ctrl_C_leaves_a_summary) {
  const Scratch scratch;
  Program program(GRADSMITH_BINARY, tame_arguments(scratch / "out", {"--time", "300", "--jobs", "2"}));
  wait_until_judging(program, scratch / "out");
  program.signal(SIGINT);
  const Finished run = program.wait();
  EXPECT_EQ(run.code, 0) << run.out << run.err;
  EXPECT_NE(run.out.find("interrupted"), std::string::npos) << run.out;
  EXPECT_EQ(summary_of(scratch / "out")["finished"], false);
  EXPECT_FALSE(std::filesystem::exists(scratch / "out/slots"));
}

TEST(Run, A_worker_killed_from_outside_is_replaced_and_no_case_is_lost) {
  const Scratch scratch;
  Program program(GRADSMITH_BINARY, tame_arguments(scratch / "out", {"--cases", "20000", "--jobs", "2"}));
  wait_until_judging(program, scratch / "out");
  const std::vector<pid_t> workers = program.children();
  EXPECT_FALSE(workers.empty());
  for (const pid_t worker : workers) ::kill(worker, SIGKILL);
  const Finished run = program.wait();
  EXPECT_EQ(run.signal, 0);
  const Json summary = summary_of(scratch / "out");
  EXPECT_EQ(summary["programs"], 20000);
  for (const Json& finding : summary["findings"]) EXPECT_NE(finding["kind"], "crash") << "nobody's chain is to blame";
}

TEST(Run, Kill_9_leaves_the_chains_that_were_being_judged) {
  const Scratch scratch;
  Program program(GRADSMITH_BINARY, tame_arguments(scratch / "out", {"--time", "300", "--jobs", "2"}));
  wait_until_judging(program, scratch / "out");
  program.signal(SIGKILL);
  EXPECT_EQ(program.wait().signal, SIGKILL);
  std::this_thread::sleep_for(std::chrono::milliseconds(500));  // the workers die with their parent
  for (const char* slot : {"out/slots/worker-0.chain", "out/slots/worker-1.chain"})
    EXPECT_NE(content(scratch / slot).find("of seed 11: being "), std::string::npos) << slot;
  const Finished next = gradsmith(tame_arguments(scratch / "out", {"--cases", "5"}));
  EXPECT_NE(next.err.find("slots.interrupted"), std::string::npos) << next.err;
  const int replayed = gradsmith({"replay", scratch / "out/slots.interrupted"}).code;
  EXPECT_TRUE(replayed == 0 || replayed == 1) << "a slot is a chain file";
}

#ifdef GRADSMITH_PLANTED_BINARY

/// All ops, without the fault that loses memory of ours: in a build with sanitizers it ends the run itself, and must.
std::string ops_that_lose_nothing() {
  std::string names;
  for (const Json& op : Json::parse(Program(GRADSMITH_PLANTED_BINARY, {"ops", "--json"}).wait().out))
    if (op["name"] != "bad_sin_loses") names += (names.empty() ? "" : ",") + op["name"].get<std::string>();
  return names;
}

TEST(Run, Planted_faults_are_found_blamed_reduced_and_stored) {
  const Scratch scratch;
  const std::string out = scratch / "out";
  // The first four witnesses: faults for lanes take bytes that they do not declare, and some change from run to run.
  const Finished run = Program(GRADSMITH_PLANTED_BINARY,
                               run_arguments(out, {"--cases", "1500", "--ops", ops_that_lose_nothing(), "--witness",
                                                   "expectation,reference,twin,difference"}))
                           .wait();
  ASSERT_EQ(run.code, 1) << run.out << run.err;
  EXPECT_NE(run.out.find("FINDING "), std::string::npos) << run.out;
  std::vector<std::string> stored;
  const Json findings = summary_of(out)["findings"];
  for (const Json& finding : findings) {
    if (finding["known"]) continue;
    const auto file = std::filesystem::path(out) / finding["file"].get<std::string>();
    const std::string chain = content(file.string());
    if (chain.find("bad_sin_reads_fresh") != std::string::npos) continue;  // what it reads is different each time
    stored.push_back(file.string());
    ASSERT_EQ(finding["ops"].size(), 1u) << chain;
    const auto op = finding["ops"][0].get<std::string>();
    const bool deep = op.starts_with("deep_");  // needs a history
    const bool slight = chain.find("_ulp(") != std::string::npos;  // may show only where an honest op makes much of it
    EXPECT_TRUE(deep || slight || op.starts_with("bad_")) << "an honest op is blamed:\n" << chain;
    EXPECT_LE(finding["steps"].get<int>(), deep ? 5 : 3) << chain;
    const std::string page = content((file.parent_path() / "finding.md").string());
    EXPECT_NE(page.find("gradsmith replay"), std::string::npos);
    EXPECT_TRUE(std::regex_search(page, std::regex("repeats: ([0-9]+) of \\1 times"))) << page;
    EXPECT_NE(content((file.parent_path() / "original.chain").string()), "");
  }
  ASSERT_GE(stored.size(), 30u);
  std::vector<std::string> replay{"replay"};
  replay.insert(replay.end(), stored.begin(), stored.end());
  EXPECT_EQ(Program(GRADSMITH_PLANTED_BINARY, replay).wait().code, 0) << "each shows what its header says";
  std::vector<std::string> format{"fmt", "--check"};
  format.insert(format.end(), stored.begin(), stored.end());
  EXPECT_EQ(Program(GRADSMITH_PLANTED_BINARY, format).wait().code, 0) << "each is canonical with its remarks";
}

TEST(Run, A_stored_original_reduces_to_the_stored_case) {
  const Scratch scratch;
  const std::string out = scratch / "out", few = "bad_exp_negative_1e6,mul,sin,narrow";
  ASSERT_EQ(Program(GRADSMITH_PLANTED_BINARY, run_arguments(out, {"--cases", "1000", "--ops", few})).wait().code, 1);
  const std::string folder = out + "/findings/wrong-gradient.bad_exp_negative_1e6.small.f64.cpu/";
  const Finished reduced = Program(GRADSMITH_PLANTED_BINARY, {"reduce", folder + "original.chain"}).wait();
  EXPECT_EQ(reduced.code, 0) << reduced.err;
  EXPECT_EQ(reduced.out, content(folder + "case.chain"));
  EXPECT_NE(reduced.out.find("values=[-1]  # must be negative"), std::string::npos) << reduced.out;
}

TEST(Run, A_finding_that_is_known_is_counted_and_not_reported) {
  const Scratch scratch;
  const std::string first = scratch / "first", few = "bad_exp_factor_1e3,mul,sin";
  ASSERT_EQ(Program(GRADSMITH_PLANTED_BINARY, run_arguments(first, {"--cases", "2000", "--ops", few})).wait().code, 1);
  std::filesystem::create_directories(scratch.path / "corpus/known");
  const Json findings = summary_of(first)["findings"];
  int number = 0;
  for (const Json& finding : findings)
    if (!finding["known"])
      scratch.file("corpus/known/" + std::to_string(number++) + ".chain",
                   content(first + "/" + finding["file"].get<std::string>()));
  const std::string own = std::string(GRADSMITH_SOURCE_DIR) + "/corpus/known";
  for (const auto& entry : std::filesystem::directory_iterator(own))
    scratch.file("corpus/known/" + entry.path().filename().string(), content(entry.path().string()));
  const Finished again = Program(GRADSMITH_PLANTED_BINARY,
                                 run_arguments(scratch / "again", {"--cases", "2000", "--ops", few, "--corpus", scratch / "corpus"}))
                             .wait();
  EXPECT_EQ(again.code, 0) << again.out;
  EXPECT_EQ(summary_of(scratch / "again")["findings"].size(), findings.size());
}

#endif

}  // namespace
}  // namespace gradsmith::testing
