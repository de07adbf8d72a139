// The stored chains still show what their headers claim, and none that claims nothing is a finding.
#include <gtest/gtest.h>

#include "harness/claim.hpp"
#include "harness/evidence.hpp"
#include "harness/files.hpp"
#include "harness/judge.hpp"

namespace gradsmith {
namespace {

class Corpus : public testing::TestWithParam<std::string> {};

TEST_P(Corpus, Shows_what_its_headers_claim) {
  std::vector<std::string> files;
  const std::filesystem::path folder = std::filesystem::path(GRADSMITH_SOURCE_DIR) / "corpus" / GetParam();
  if (std::filesystem::is_directory(folder)) files = chain_files({folder.string()});
  for (const std::string& file : files) {
    const auto loaded = load_chain(file);
    ASSERT_TRUE(std::holds_alternative<Chain>(loaded)) << std::get<std::string>(loaded);
    if (header(std::get<Chain>(loaded), "device")) continue;  // for properties/gpu_check.sh
    const auto read = claim_of(std::get<Chain>(loaded));
    ASSERT_TRUE(std::holds_alternative<std::optional<Claim>>(read)) << file << ": " << std::get<std::string>(read);
    const auto& claim = std::get<std::optional<Claim>>(read);
    Plan plan = plan_for(claim, {});
    plan.lanes = with_lanes_of(std::get<Chain>(loaded), {}, file);
    prepare(plan);
    const Verdict verdict = judge(std::get<Chain>(loaded), plan);
    if (!claim) {
      EXPECT_NE(verdict.status, Status::finding) << file << ": " << headline(verdict);
      continue;
    }
    const auto departure = departs(*claim, verdict);
    EXPECT_FALSE(departure) << file << ": " << *departure << "\n" << headline(verdict);
  }
}

INSTANTIATE_TEST_SUITE_P(Stored, Corpus, testing::Values("seeds", "known", "regressions", "distilled"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace gradsmith
