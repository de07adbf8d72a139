#include "harness/summary_words.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/progress.hpp"

namespace gradsmith {

namespace {

std::uint64_t total(const Reasons& reasons) {
  std::uint64_t sum = 0;
  for (const auto& [reason, count] : reasons) sum += count;
  return sum;
}

std::string finding_words(const FindingEntry& finding, const std::filesystem::path& folder) {
  std::string line = fmt::format("  {} {}  {} time{}, {} steps  {}", finding.known ? "known" : "NEW  ",
                                 finding.signature, finding.count, finding.count == 1 ? "" : "s", finding.steps,
                                 finding.known ? finding.file : (folder / finding.file).string());
  if (!finding.since.empty()) line += "  since " + finding.since;
  if (!finding.link.empty()) line += "  " + finding.link;
  return line + "\n";
}

}  // namespace

std::string summary_words(const Summary& summary, bool interrupted, const std::filesystem::path& folder) {
  const Tally& tally = summary.tally;
  std::string out = fmt::format(
      "{}{} programs in {:.1f} s ({}/s): {} accepted, {} refused as they must, {} in known holes, {} inconclusive, "
      "{} discarded\n",
      interrupted ? "interrupted: " : "", with_commas(tally.programs), summary.seconds,
      with_commas(static_cast<std::uint64_t>(static_cast<double>(tally.programs) / std::max(summary.seconds, 1e-9))),
      with_commas(tally.accepted), with_commas(tally.agreed_raise), with_commas(tally.known_hole),
      with_commas(total(tally.inconclusive)), with_commas(total(tally.discarded)));
  for (std::size_t w = 0; w < witness_count; ++w) {
    const auto& of = tally.witnesses[w];
    if (static_cast<Witness>(w) == Witness::device && summary.device == "cpu") continue;
    out += fmt::format("  {:<12} agrees {}, disagrees {}, inconclusive {}, skipped {}\n", witness_names[w],
                       with_commas(of.agree), with_commas(of.disagree), with_commas(total(of.inconclusive)),
                       with_commas(total(of.skipped)));
  }
  std::size_t known = 0;
  for (const FindingEntry& finding : summary.findings) {
    known += finding.known;
    out += finding_words(finding, folder);
  }
  for (const std::string& file : summary.now_passing) out += fmt::format("  NOW PASSES  {}\n", file);
  return out + fmt::format("findings: {} new, {} known; records in {}\n", summary.findings.size() - known, known,
                           folder.string());
}

std::string progress_words(const Tally& tally, double per_second, std::size_t new_findings,
                           std::size_t known_findings) {
  return fmt::format("programs {} ({}/s)  accepted {}, refused {}  findings {} new, {} known",
                     with_commas(tally.programs), with_commas(static_cast<std::uint64_t>(per_second)),
                     with_commas(tally.accepted), with_commas(tally.refused), new_findings, known_findings);
}

}  // namespace gradsmith
