// A verdict in words, for people: one line, or the body of a finding's page. Pure functions.
#pragma once

#include <string>

#include "harness/judge.hpp"

namespace gradsmith {

/// "no error", "E5 in backward 1", "E9 at step 3".
std::string refusal_words(const std::optional<Refusal>& refusal);
/// The testimony that made the finding: the first that disagrees with the signature's kind, else the first that
/// disagrees; null if none does.
const Testimony* deciding_testimony(const Verdict& verdict);
/// One line: what departs, where, by how much; or why there is no verdict.
std::string headline(const Verdict& verdict);
/// Markdown: what was expected, what was seen, both numbers, and each witness's words.
std::string evidence(const Verdict& verdict);

/// What a finding's page says besides the evidence.
struct FindingFacts {
  std::string signature{}, headline{}, evidence{}, chain_text{};
  std::string guilty{}, first{};  ///< op at fault; where it was first seen, "case 2 of seed 1"
  std::string known_as{};         ///< signature and file of the known issue that it turned out to be; empty: it is new
  std::uint64_t count = 0;
  int original_steps = 0, steps = 0;
  std::string reduction{};  ///< how the reduction ended, a sentence
  std::string repeats{};    ///< how often the same verdict came again
  std::string replay{};     ///< the command
  std::string no_program{};  ///< why no stand-alone programs lie beside the page; empty: they do
  std::string versions{};
};
/// finding.md.
std::string finding_page(const FindingFacts& facts);

}  // namespace gradsmith
