// Campaigns from outside, with a fake worker: they end when told, go on after any kill, and lose nothing.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "harness/roles.hpp"
#include "harness/sanitizer_report.hpp"
#include "harness/version.hpp"
#include "properties/child_program.hpp"

namespace gradsmith::testing {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;

/// What the fake worker is to do, for the lifetime of this.
struct Fault {
  explicit Fault(const char* fault) { ::setenv("GRADSMITH_FAKE", fault, 1); }
  Fault(const Fault&) = delete;
  Fault& operator=(const Fault&) = delete;
  ~Fault() { ::unsetenv("GRADSMITH_FAKE"); }
};

/// A campaign in scratch/camp whose corpus is empty: nothing is known, no chain is judged at the start.
std::vector<std::string> campaign(const Scratch& scratch, const std::vector<std::string>& more,
                                  const std::string& workers = "2") {
  fs::create_directories(scratch.path / "none");
  std::vector<std::string> arguments{"campaign",  scratch / "camp", "--worker", GRADSMITH_FAKE_WORKER,
                                     "--workers", workers,          "--corpus", scratch / "none"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

/// Names of all units, wherever they lie.
std::set<std::string> units(const std::string& camp) {
  std::set<std::string> names;
  std::error_code gone;
  std::vector<fs::path> folders{fs::path(camp) / "corpus"};
  for (int k = 0; k < 4; ++k) folders.push_back(fs::path(camp) / "workers" / std::to_string(k) / "corpus");
  for (const fs::path& folder : folders)
    for (fs::directory_iterator at(folder, gone), end; !gone && at != end; at.increment(gone))
      names.insert(at->path().filename().string());
  return names;
}

std::set<std::string> findings(const std::string& camp) {
  std::set<std::string> names;
  std::error_code gone;
  for (fs::directory_iterator at(camp + "/findings", gone), end; !gone && at != end; at.increment(gone))
    names.insert(at->path().filename().string());
  return names;
}

template <class Condition>
void wait_until(Condition condition) {
  for (int tries = 0; tries < 3000; ++tries) {
    if (condition()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  FAIL() << "it does not come";
}

Json json_of(const std::string& file) { return Json::parse(content(file)); }

bool holds_all(const std::set<std::string>& all, const std::set<std::string>& part) {
  for (const std::string& one : part)
    if (!all.contains(one)) return false;
  return true;
}

/// A campaign that goes on until the condition holds, and is then told to end.
template <class Condition>
Finished campaign_until(const Scratch& scratch, const std::vector<std::string>& more, Condition condition,
                        const std::string& workers = "2") {
  Program program(GRADSMITH_BINARY, campaign(scratch, more, workers));
  wait_until(condition);
  program.signal(SIGTERM);
  return program.wait();
}

int programs(const std::string& camp) {
  const Json summary = Json::parse(content(camp + "/summary.json"), nullptr, false);
  return summary.is_object() ? summary["programs"].get<int>() : 0;
}

TEST(Campaign, Says_what_it_found) {
  const Scratch scratch;
  const Fault fault("found");
  const std::string camp = scratch / "camp";
  const Finished run =
      campaign_until(scratch, {"--seed", "5"}, [&] { return findings(camp).size() == 3 && units(camp).size() > 20; });
  EXPECT_EQ(run.code, 1) << run.out << run.err;
  const Json summary = json_of(camp + "/summary.json");
  EXPECT_EQ(summary["findings"].size(), 3u);
  EXPECT_EQ(summary["seed"], 5);
  EXPECT_EQ(findings(camp).size(), 3u);
  EXPECT_NE(content(camp + "/findings/wrong-gradient.made_up_0.small.f64.cpu/finding.md").find("first in worker "),
            std::string::npos);
  EXPECT_NE(content(camp + "/records.jsonl").find("made_up_0"), std::string::npos);
  const Finished status = gradsmith({"status", camp});
  EXPECT_EQ(status.code, 0);
  EXPECT_NE(status.out.find("stopped"), std::string::npos) << status.out;
  EXPECT_NE(status.out.find("3 new"), std::string::npos) << status.out;
  const Json told = Json::parse(gradsmith({"status", "--json", camp}).out);
  ASSERT_EQ(told["each"].size(), 2u);
  EXPECT_GE(told["each"][0]["peak_rss_mb"], 1) << "what a process of it had at most";
  const Json& last = summary["course"].back();
  EXPECT_EQ(last["programs"], summary["programs"]);
  EXPECT_EQ(last["rss_mb"].size(), 2u) << "of each worker";
  EXPECT_GE(last["features"], 1);
}

TEST(Campaign, Few_workers_have_every_lane_in_turn) {
  const auto all = roles_named({});
  std::set<std::string_view> had;
  for (std::uint64_t merges = 0; merges < (all.size() + 1) / 2; ++merges)
    for (std::size_t worker = 0; worker < 2; ++worker) had.insert(role_at(all, worker, 2, merges).name);
  EXPECT_EQ(had.size(), all.size());
  EXPECT_EQ(role_at(all, 1, 2, 0).name, all[1]->name);
  EXPECT_EQ(role_at(roles_named({"guard"}), 3, 4, 7).name, "guard");
}

TEST(Campaign, The_same_command_goes_on_and_its_time_is_that_of_the_whole) {
  const Scratch scratch;
  const std::string camp = scratch / "camp";
  campaign_until(scratch, {"--seed", "5"}, [&] { return units(camp).size() > 10; });
  const int first = programs(camp);
  const std::size_t units_then = units(camp).size();
  campaign_until(scratch, {}, [&] { return units(camp).size() > units_then + 5; });
  const int second = programs(camp);
  const Finished over = gradsmith(campaign(scratch, {"--time", "1"}));
  EXPECT_EQ(over.code, 0) << over.err;
  EXPECT_GT(second, first);
  EXPECT_EQ(programs(camp), second) << "its time is over";
  EXPECT_EQ(json_of(camp + "/summary.json")["finished"], true);
  EXPECT_EQ(json_of(camp + "/summary.json")["seed"], 5);
  EXPECT_EQ(json_of(camp + "/status.json")["state"], "finished");
  EXPECT_GE(json_of(camp + "/status.json")["merges"], 1);
  EXPECT_FALSE(units(camp).empty());
}

TEST(Campaign, Ends_in_good_order_within_ten_seconds_of_a_signal) {
  for (const int number : {SIGTERM, SIGINT, SIGUSR1}) {
    const Scratch scratch;
    Program program(GRADSMITH_BINARY, campaign(scratch, {}));
    wait_until([&] { return units(scratch / "camp").size() > 10; });
    const auto told = Clock::now();
    program.signal(number);
    const Finished run = program.wait();
    EXPECT_LT(Clock::now() - told, std::chrono::seconds(10));
    EXPECT_EQ(run.code, 0) << run.out << run.err;
    EXPECT_EQ(json_of(scratch / "camp/status.json")["state"], "stopped");
    EXPECT_EQ(json_of(scratch / "camp/summary.json")["finished"], false);
  }
}

TEST(Campaign, Nothing_is_lost_when_workers_and_supervisor_are_killed) {
  const Scratch scratch;
  const Fault fault("found");
  std::set<std::string> units_before, findings_before;
  for (int round = 0; round < 4; ++round) {
    Program program(GRADSMITH_BINARY, campaign(scratch, {"--seed", "9"}));
    wait_until([&] { return units(scratch / "camp").size() > units_before.size() + 20; });
    EXPECT_TRUE(holds_all(units(scratch / "camp"), units_before));
    EXPECT_TRUE(holds_all(findings(scratch / "camp"), findings_before));
    units_before = units(scratch / "camp");
    findings_before = findings(scratch / "camp");
    const std::vector<pid_t> workers = program.children();
    if (round % 2 == 0)
      for (const pid_t worker : workers) ::kill(worker, SIGKILL);
    if (round % 2 == 1 || round == 2) program.signal(SIGKILL);
    if (round == 0) program.signal(SIGTERM);
    program.wait();
    for (const pid_t worker : workers) wait_until([&] { return ::kill(worker, 0) != 0; });  // they die with it
    EXPECT_TRUE(holds_all(units(scratch / "camp"), units_before)) << "round " << round;
    EXPECT_TRUE(holds_all(findings(scratch / "camp"), findings_before)) << "round " << round;
  }
  for (const std::string& signature : findings(scratch / "camp")) EXPECT_EQ(signature.find("crash"), std::string::npos);
}

TEST(Campaign, A_crash_becomes_a_finding_with_its_chain_and_the_worker_goes_on) {
  const Scratch scratch;
  const Fault fault("crash");
  const Finished run = campaign_until(
      scratch, {}, [&] { return units(scratch / "camp").size() > 40; }, "1");
  EXPECT_EQ(run.code, 1) << run.out << run.err;
  const std::string folder = scratch / "camp/findings/crash..SIGSEGV.f64.cpu";
  EXPECT_NE(content(folder + "/original.chain").find("= input"), std::string::npos);
  EXPECT_NE(content(folder + "/finding.md").find("a worker ended with SIGSEGV; not shown again alone"),
            std::string::npos);
  const Json status = json_of(scratch / "camp/workers/0/status.json");
  EXPECT_EQ(status["last_death"], "SIGSEGV in execute");
  EXPECT_GE(status["restarts"], 1);
}

TEST(Campaign, What_a_sanitizer_reports_becomes_a_finding_that_quotes_it) {
  const Scratch scratch;
  const Fault fault("report");
  const std::string camp = scratch / "camp";
  const Finished run = campaign_until(
      scratch, {"--lanes", "sanitizer"}, [&] { return units(camp).size() > 40 && findings(camp).size() == 1; }, "1");
  EXPECT_EQ(run.code, 1) << run.out << run.err;
  const std::string folder = camp + "/findings/crash..heap-buffer-overflow.f64.cpu";
  EXPECT_NE(content(folder + "/original.chain").find("= input"), std::string::npos);
  EXPECT_NE(content(folder + "/finding.md").find("    #0 0x8 in made_up made.cpp:9\nSUMMARY: "), std::string::npos)
      << content(folder + "/finding.md");
  EXPECT_TRUE(fs::is_empty(camp + "/workers/0/deaths"));
}

TEST(Campaign, Of_what_a_sanitizer_says_the_last_report_counts) {
  EXPECT_FALSE(sanitizer_report(""));
  EXPECT_FALSE(sanitizer_report("a.cpp:1:2: runtime error: signed integer overflow\n")) << "without its end";
  EXPECT_FALSE(sanitizer_report("\nSUMMARY: 12 inputs\n"));
  const auto overflow = sanitizer_report(
      "#1 INITED\n==1==ERROR: AddressSanitizer: heap-use-after-free\n\n"
      "SUMMARY: AddressSanitizer: heap-use-after-free a.cpp\n"
      "#2 NEW\na.cpp:1:2: runtime error: signed integer overflow\n    #0 f\n"
      "SUMMARY: UndefinedBehaviorSanitizer: undefined-behavior a.cpp:1:2\nMS: 0\n");
  ASSERT_TRUE(overflow);
  EXPECT_EQ(overflow->kind, "undefined-behavior");
  EXPECT_EQ(overflow->words.substr(0, 28), "a.cpp:1:2: runtime error: si");
  EXPECT_EQ(overflow->words.substr(overflow->words.size() - 10), "a.cpp:1:2\n");
  const auto leak = sanitizer_report(
      "==1==ERROR: LeakSanitizer: detected memory leaks\n" + std::string(20'000, 'x') +
      "\nSUMMARY: AddressSanitizer: 8 byte(s) leaked in 1 allocation(s).\n");
  ASSERT_TRUE(leak);
  EXPECT_EQ(leak->kind, "leak");
  EXPECT_LT(leak->words.size(), 9000u);
}

TEST(Campaign, Chains_that_kill_early_and_often_do_not_end_it) {
  const Scratch scratch;
  const Fault fault("fragile");
  const std::string camp = scratch / "camp";
  const Finished run = campaign_until(
      scratch, {},
      [&] {
        return fs::exists(camp + "/workers/0/status.json") && json_of(camp + "/workers/0/status.json")["restarts"] > 9;
      },
      "1");
  EXPECT_EQ(run.code, 1) << run.out << run.err;
  EXPECT_GE(json_of(camp + "/status.json")["deaths"]["crash..SIGSEGV.f64.cpu"], 1);
}

TEST(Campaign, A_hang_is_ended_and_becomes_a_finding) {
  const Scratch scratch;
  const Fault fault("hang");
  Program program(GRADSMITH_BINARY, campaign(scratch, {"--patience", "3"}, "1"));
  const std::string folder = scratch / "camp/findings/hang...f64.cpu";
  wait_until([&] { return fs::exists(folder + "/original.chain"); });
  program.signal(SIGTERM);
  EXPECT_EQ(program.wait().code, 1);
  EXPECT_EQ(json_of(scratch / "camp/workers/0/status.json")["last_death"], "hang in execute");
}

TEST(Campaign, What_stands_in_its_way_is_one_line_and_an_exit_code) {
  const Scratch scratch;
  const auto expect = [&](const std::vector<std::string>& arguments, int code, const std::string& part) {
    const Finished run = gradsmith(arguments);
    EXPECT_EQ(run.code, code) << run.err;
    EXPECT_NE(run.err.find(part), std::string::npos) << run.err;
  };
  scratch.file("camp/campaign.json", R"({"format": 2, "version": "0.0.1", "libtorch": "2.11.0", "seed": 1})");
  expect(campaign(scratch, {}), 2, "made with GradSmith 0.0.1");
  for (const char* settings : {"{\"format\": ", "", R"({"format": 2, "version": "0.1.0", "libtorch": "2.11.0"})",
                               R"({"format": 2, "version": "0.1.0", "libtorch": "2.11.0", "seed": -1})"}) {
    scratch.file("camp/campaign.json", settings);
    expect(campaign(scratch, {}), 2, "not a campaign's settings");
  }
  fs::remove_all(scratch.path / "camp");
  scratch.file("camp/holiday.jpg", "");
  expect(campaign(scratch, {}), 2, "not empty");
  expect({"status", scratch / "camp"}, 2, "no campaign.json");
  fs::create_symlink("campaign.json", scratch.path / "camp/campaign.json");
  expect({"status", scratch / "camp"}, 2, "campaign.json: cannot be read: Too many levels");
  expect({"campaign", "/dev/null/camp", "--worker", GRADSMITH_FAKE_WORKER}, 3, "/dev/null/camp");
  expect(campaign(scratch, {"--lanes", "fast"}), 2, "unknown lane \"fast\"");
  expect({"fuzz", scratch / "new", "--worker", GRADSMITH_BINARY}, 2, "not a libFuzzer program");
  expect({"fuzz", scratch / "new", "--worker", scratch / "nothing"}, 2, "no such file");
  expect({"fuzz", scratch / "new", "--worker", scratch / ""}, 2, "not a program");
  const std::string other = scratch.file("parser_fuzzer", "stat::number_of_executed_units");
  expect({"fuzz", scratch / "new", "--worker", other}, 2, "not the chain_fuzzer of GradSmith");
  const std::string plain = scratch.file("chain_fuzzer", std::string("stat::number_of_executed_units ") + worker_mark);
  expect({"fuzz", scratch / "new", "--worker", plain, "--lanes", "sanitizer"}, 3, "is not built with sanitizers");
  fs::create_directories(scratch.path / "alone");
  fs::copy_file(GRADSMITH_BINARY, scratch.path / "alone/gradsmith");
  const Finished alone = Program(scratch / "alone/gradsmith", {"fuzz", scratch / "new"}).wait();
  EXPECT_EQ(alone.code, 3);
  EXPECT_NE(alone.err.find("cmake --build --preset fuzz"), std::string::npos) << alone.err;
  fs::remove_all(scratch.path / "camp");
  Program running(GRADSMITH_BINARY, campaign(scratch, {"--seed", "3"}));
  wait_until([&] { return gradsmith({"status", scratch / "camp"}).out.find("running") != std::string::npos; });
  expect(campaign(scratch, {}), 3, "another process runs this campaign");
  expect(campaign(scratch, {"--seed", "4"}), 2, "has seed 3");
}

TEST(Campaign, Ends_with_one_line_where_files_cannot_grow_and_goes_on_where_they_can) {
  const Scratch scratch;
  std::string command = "ulimit -f 16; exec \"$0\" \"$@\"";  // in blocks of 512 or 1024 bytes: a slot has 64 KiB
  std::vector<std::string> arguments{"-c", command, GRADSMITH_BINARY};
  const auto campaigning = campaign(scratch, {"--seed", "5"});
  arguments.insert(arguments.end(), campaigning.begin(), campaigning.end());
  const Finished full = Program("/bin/sh", arguments).wait();
  EXPECT_EQ(full.code, 3) << full.out << full.err;
  EXPECT_NE(full.err.find("slot.chain: cannot be written: File too large"), std::string::npos) << full.err;
  EXPECT_EQ(campaign_until(scratch, {}, [&] { return units(scratch / "camp").size() > 10; }).code, 0);
  EXPECT_EQ(json_of(scratch / "camp/summary.json")["seed"], 5);
}

TEST(Campaign, Needs_a_folder_that_it_may_write) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write anywhere";
  const Scratch scratch;
  fs::create_directory(scratch.path / "locked");
  fs::permissions(scratch.path / "locked", fs::perms::owner_read | fs::perms::owner_exec);
  const Finished run = gradsmith({"fuzz", scratch / "locked/camp", "--worker", GRADSMITH_FAKE_WORKER});
  EXPECT_EQ(run.code, 3);
  EXPECT_NE(run.err.find("locked/camp: cannot be made: Permission denied"), std::string::npos) << run.err;
}

TEST(Campaign, A_worker_that_cannot_write_ends_it_and_a_count_that_is_half_written_does_not) {
  const Scratch scratch;
  {
    const Fault fault("exit");
    EXPECT_EQ(gradsmith(campaign(scratch, {})).code, 3);
  }
  const std::string count = content(scratch / "camp/workers/0/count");
  ASSERT_FALSE(count.empty());
  scratch.file("camp/workers/0/count", count.substr(0, count.size() / 2));
  scratch.file("camp/workers/0/found/wrong-gradient.sin.small.f64.cpu", "12\ngradsmi");
  scratch.file("camp/status.json", "{\"seconds\": \"many\"}");
  const Finished run = campaign_until(scratch, {}, [&] { return units(scratch / "camp").size() > 60; });
  EXPECT_EQ(run.code, 0);
  EXPECT_NE(run.err.find("status.json: not whole"), std::string::npos) << run.err;
}

}  // namespace
}  // namespace gradsmith::testing
