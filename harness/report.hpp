// What runs and campaigns found, as one value, and its renderers: pure functions from that value to text. A further
// form of report is a further function. Knows neither files nor JSON (record_report.cpp reads them), nor how a run
// goes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/tally.hpp"

namespace gradsmith {

/// A finding with what its folder tells.
struct ReportedFinding {
  std::string signature{}, kind{}, file{};
  std::vector<std::string> ops{};
  std::uint64_t count = 0;
  bool known = false;
  int steps = 0;
  std::string headline{}, chain{};  ///< empty if not known any more
};

/// One domain of semantic coverage: what of it was reached, and in words what never was.
struct ReportedCoverage {
  std::string domain{};
  std::uint64_t reached = 0, total = 0;
  std::vector<std::string> never{};
};

/// One moment of a campaign.
struct ReportedMoment {
  std::uint64_t seconds = 0, programs = 0, features = 0, units = 0, findings_new = 0;
  std::vector<std::uint64_t> rss_mb{};  ///< of each worker
};

/// The output folder of one run or campaign.
struct ReportedRun {
  std::string folder{};
  std::string version{}, libtorch{}, cpu{}, device{}, dtype{};
  std::optional<std::uint64_t> seed{};
  double seconds = 0;
  bool finished = false;
  std::uint64_t programs = 0, accepted = 0, agreed_raise = 0, known_hole = 0, inconclusive = 0, discarded = 0;
  struct Witnessed {
    std::string witness{};
    std::uint64_t agree = 0, disagree = 0, inconclusive = 0, skipped = 0;
  };
  std::vector<Witnessed> witnesses{};
  std::vector<ReportedFinding> findings{};
  std::map<std::string, OpUse> ops{};
  std::map<std::string, Tally::OpDeltas> deltas{};  ///< by in-place form ("relu_")
  RatioHistogram control{};
  std::vector<ReportedMoment> course{};      ///< of a campaign
  std::vector<ReportedCoverage> coverage{};  ///< empty if none was taken
};

struct Report {
  std::vector<ReportedRun> runs{};
};

/// Sums of all runs: op uses, deltas and control.
struct ReportTotals {
  std::map<std::string, OpUse> ops{};
  std::map<std::string, Tally::OpDeltas> deltas{};
  RatioHistogram control{};
};
ReportTotals totals(const Report& report);

/// For people and pull requests: findings first, then witnesses, op use, deltas, coverage, environment.
std::string markdown(const Report& report);
/// JUnit XML, as CI services read it: a suite per run; a test case per witness, which passes, and one per finding: a
/// new one fails, a known one is skipped.
std::string junit(const Report& report);

/// The report of an output folder: its summary, the pages of its findings, its coverage.json if there is one.
/// UsageError, with file and place, for what is no such folder. (record_report.cpp)
ReportedRun read_run(const std::string& folder);

}  // namespace gradsmith
