// What workers and supervisor write for each other: it comes back as it was, and garbage comes back as nothing.
#include <gtest/gtest.h>

#include "harness/campaign_status.hpp"
#include "harness/claim.hpp"
#include "harness/generate.hpp"
#include "harness/parse.hpp"
#include "harness/worker_folder.hpp"
#include "properties/child_program.hpp"

namespace gradsmith::testing {
namespace {

/// The counts of some judged chains, every kind of verdict among them.
WorkerCount some_count() {
  initialize_libtorch();
  WorkerCount count;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Choices choices(seed);
    const Chain chain = generate(choices);
    count.tally.add(case_report(chain, judge(chain)));
  }
  count.findings = {{"wrong-gradient.sin.small.f64.cpu", 3}, {"crash..SIGSEGV.f64.cpu", 1}};
  return count;
}

TEST(WorkerFolder, Counts_come_back_as_they_were) {
  const Scratch scratch;
  const WorkerFolder folder{scratch / "worker"};
  folder.make();
  EXPECT_EQ(folder.read_count(), WorkerCount{}) << "none yet";
  const WorkerCount count = some_count();
  EXPECT_GT(count.tally.accepted, 0u);
  EXPECT_GT(count.tally.agreed_raise, 0u);
  folder.write_count(count);
  EXPECT_EQ(folder.read_count(), count);
  Tally twice = count.tally;
  twice.add(count.tally);
  EXPECT_EQ(twice.programs, 2 * count.tally.programs);
  EXPECT_EQ(twice.witnesses[0].agree, 2 * count.tally.witnesses[0].agree);
}

TEST(WorkerFolder, Bytes_cut_short_or_changed_are_no_count_and_no_report) {
  const std::string bytes = encode(some_count().tally);
  for (std::size_t size = 0; size < bytes.size(); size += 7) EXPECT_FALSE(decode_tally(bytes.substr(0, size)));
  EXPECT_FALSE(decode_tally(bytes + "1:1"));
  EXPECT_FALSE(decode_tally("99999999999999999999:"));
  const std::string report = encode(CaseReport{.headline = "made up"});
  ASSERT_TRUE(decode(report));
  EXPECT_EQ(decode(report)->headline, "made up");
  for (std::size_t size = 0; size < report.size(); ++size) EXPECT_FALSE(decode(report.substr(0, size))) << size;
}

TEST(WorkerFolder, A_report_is_written_once_per_signature) {
  const Scratch scratch;
  const WorkerFolder folder{scratch / "worker"};
  folder.make();
  CaseReport report;
  report.signature = {.kind = FindingKind::wrong_value, .guilty = "sin", .detail = "small"};
  folder.write_found({"first", report});
  folder.write_found({"second", report});
  ASSERT_EQ(folder.found_signatures(), std::vector<std::string>{report.signature.text()});
  const auto found = folder.read_found(report.signature.text());
  ASSERT_TRUE(found);
  EXPECT_EQ(found->chain, "first");
  EXPECT_EQ(found->report.signature, report.signature);
  EXPECT_FALSE(folder.read_found("nothing"));
}

TEST(WorkerFolder, The_slot_names_chain_and_phase_at_every_moment) {
  const Scratch scratch;
  const std::string file = scratch / "slot.chain", text = "gradsmith 1\na = input f64[2]\nv1 = sin(a)\n";
  EXPECT_FALSE(read_slot(file)) << "none yet";
  SlotWriter slot(file);
  EXPECT_FALSE(read_slot(file)) << "nothing written";
  slot.begin("not a chain");
  ASSERT_TRUE(read_slot(file));
  EXPECT_EQ(read_slot(file)->phase, "parse");
  slot.begin(text);
  slot.chain(text);
  EXPECT_EQ(read_slot(file)->phase, "parse") << "the chain is there before its phase";
  for (const char* phase : {"execute", "reference", "twin"}) {
    slot.enter(phase);
    const auto at = read_slot(file);
    EXPECT_EQ(at->phase, phase);
    EXPECT_EQ(at->input, 2u);
    EXPECT_TRUE(at->busy());
    const auto parsed = parse(at->text);
    ASSERT_TRUE(std::holds_alternative<Chain>(parsed)) << at->text;
    EXPECT_TRUE(std::get<Chain>(parsed) == std::get<Chain>(parse(text)));
  }
  EXPECT_EQ(glance_at_slot(file)->phase, "twin");
  slot.end();
  EXPECT_FALSE(glance_at_slot(file)->busy());
}

TEST(WorkerFolder, The_judge_tells_each_phase_before_it_begins) {
  initialize_libtorch();
  std::vector<std::string> phases;
  Plan plan;
  plan.entering = [&](std::string_view phase) { phases.emplace_back(phase); };
  const auto parsed = parse("gradsmith 1\na = input f64[2] requires_grad\nv1 = sin(a)\n");
  judge(std::get<Chain>(parsed), plan);
  EXPECT_EQ(phases, (std::vector<std::string>{"expect", "execute", "reference", "difference", "twin", "forward", "second", "memory",
                                              "time"}));
}

TEST(CampaignStatus, Its_history_stays_short_and_comes_back_from_JSON) {
  CampaignStatus status;
  for (int i = 0; i < 5000; ++i) status.remember({.seconds = i * 1.0, .features = static_cast<std::uint64_t>(i)});
  EXPECT_LE(status.history.size(), CampaignStatus::history_length);
  EXPECT_EQ(status.history.front().features, 0u);
  EXPECT_GT(status.history.back().features, 4900u);
  status.deaths["hang...f64.cpu"] = 2;
  const auto again = read_campaign_status(as_json(status));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->history.size(), status.history.size());
  EXPECT_EQ(again->deaths, status.deaths);
  EXPECT_FALSE(read_campaign_status("{\"seconds\": \"many\"}"));
  EXPECT_FALSE(read_campaign_status("{"));
  EXPECT_TRUE(read_campaign_status("{}"));
}

TEST(Claims, The_words_for_a_verdict_are_borne_out_by_it) {
  initialize_libtorch();
  int claims = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Choices choices(seed);
    const Verdict verdict = judge(generate(choices));
    const auto words = claim_words(verdict);
    if (!words) continue;
    ++claims;
    const auto claim = parse_claim(*words);
    ASSERT_TRUE(std::holds_alternative<Claim>(claim)) << *words;
    EXPECT_EQ(departs(std::get<Claim>(claim), verdict), std::nullopt) << *words;
  }
  EXPECT_GT(claims, 80);
}

}  // namespace
}  // namespace gradsmith::testing
