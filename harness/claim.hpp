// What the header of a stored chain claims (`# expect: ...`), and whether a verdict bears it out. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "harness/judge.hpp"

namespace gradsmith {

/// `pass`, `refused ID PHASE`, `known-hole ID` or `finding KIND`.
struct Claim {
  enum class Kind : std::uint8_t { pass, refused, known_hole, finding };
  Kind kind = Kind::pass;
  std::string id{};  ///< of the error or the hole
  Phase phase{};     ///< of a refusal; number 0: whichever backward
  FindingKind finding = FindingKind::none;
};

/// A claim, or a message that says what was expected of the text.
std::variant<Claim, std::string> parse_claim(std::string_view text);
/// What a chain claims of itself under the linked release of LibTorch; nothing without `# expect:`. From the release of its
/// `# fixed:` on, a known issue claims to pass. A message if either is not understood.
std::variant<std::optional<Claim>, std::string> claim_of(const Chain& chain);
/// The claim that a verdict bears out, as text; nothing for one that claims nothing (inconclusive, discard).
std::optional<std::string> claim_words(const Verdict& verdict);
/// How the verdict departs from the claim, in one line; nothing if it bears it out. A refusal must be LibTorch's and
/// the model's alike.
std::optional<std::string> departs(const Claim& claim, const Verdict& verdict);

/// `plan` as a finding of that kind needs it to show again: what changes from run to run is run often; what forward mode or
/// double backward shows is asked of them alone, and nothing else is.
Plan plan_for(FindingKind kind, Plan plan);
/// `plan` as a chain with that claim needs it.
Plan plan_for(const std::optional<Claim>& claim, Plan plan);

}  // namespace gradsmith
