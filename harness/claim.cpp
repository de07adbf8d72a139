#include "harness/claim.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <sstream>
#include <vector>

#include "harness/evidence.hpp"
#include "harness/release.hpp"

namespace gradsmith {

namespace {

constexpr std::array all_findings = {
    FindingKind::missing_error,  FindingKind::spurious_error, FindingKind::wrong_error,
    FindingKind::wrong_value,    FindingKind::wrong_gradient, FindingKind::twin_mismatch,
    FindingKind::nondeterminism, FindingKind::crash,          FindingKind::hang,
    FindingKind::leak,           FindingKind::memory,         FindingKind::time,
    FindingKind::device_mismatch, FindingKind::forward_mode,  FindingKind::second_order};

std::optional<int> positive(const std::string& word) {
  int number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc() || end != word.data() + word.size() || number < 1) return std::nullopt;
  return number;
}

std::optional<Phase> parse_phase(const std::vector<std::string>& words, std::size_t at) {
  const std::size_t left = words.size() - at;
  if (left == 1 && words[at] == "backward") return Phase{Phase::Kind::backward, 0};
  if (left != 2) return std::nullopt;
  const auto number = positive(words[at + 1]);
  if (!number) return std::nullopt;
  if (words[at] == "backward") return Phase{Phase::Kind::backward, *number};
  if (words[at] == "step") return Phase{Phase::Kind::step, *number};
  return std::nullopt;
}

bool fits(const Claim& claim, const std::optional<Refusal>& refusal) {
  if (!refusal || refusal->id != claim.id || refusal->phase.kind != claim.phase.kind) return false;
  return claim.phase.number == 0 || refusal->phase.number == claim.phase.number;
}

std::string words(const Claim& claim) {
  switch (claim.kind) {
    case Claim::Kind::pass:
      return "pass";
    case Claim::Kind::refused:
      return fmt::format("refused {} {}", claim.id, claim.phase.number == 0 ? "backward" : phase_name(claim.phase));
    case Claim::Kind::known_hole:
      return fmt::format("known-hole {}", claim.id);
    case Claim::Kind::finding:
      return fmt::format("finding {}", finding_name(claim.finding));
  }
  return "?";
}

}  // namespace

std::variant<Claim, std::string> parse_claim(std::string_view text) {
  std::istringstream stream{std::string(text)};
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  const std::string what = words.empty() ? "" : words[0];
  if (what == "pass" && words.size() == 1) return Claim{};
  if (what == "refused" && words.size() >= 3)
    if (const auto phase = parse_phase(words, 2))
      return Claim{.kind = Claim::Kind::refused, .id = words[1], .phase = *phase};
  if (what == "known-hole" && words.size() == 2) return Claim{.kind = Claim::Kind::known_hole, .id = words[1]};
  if (what == "finding" && words.size() == 2)
    for (const FindingKind kind : all_findings)
      if (finding_name(kind) == words[1]) return Claim{.kind = Claim::Kind::finding, .finding = kind};
  return fmt::format(
      "\"expect: {}\" is not understood; expected pass, refused ID PHASE (step K, backward or backward K), known-hole "
      "ID or "
      "finding KIND",
      text);
}

std::variant<std::optional<Claim>, std::string> claim_of(const Chain& chain) {
  const auto expect = header(chain, "expect");
  if (!expect) return std::nullopt;
  auto claim = parse_claim(*expect);
  if (auto* message = std::get_if<std::string>(&claim)) return std::move(*message);
  if (const auto fixed = header(chain, "fixed")) {
    const auto release = parse_release(*fixed);
    if (!release) return fmt::format("\"fixed: {}\" is not understood; expected a LibTorch release such as 2.14", *fixed);
    if (linked_release() >= *release) return Claim{};
  }
  return std::get<Claim>(std::move(claim));
}

std::optional<std::string> claim_words(const Verdict& verdict) {
  switch (verdict.status) {
    case Status::pass:
      return words({});
    case Status::agreed_raise:
      return words({.kind = Claim::Kind::refused, .id = verdict.outcome.refusal->id, .phase = verdict.outcome.refusal->phase});
    case Status::known_hole:
      return words({.kind = Claim::Kind::known_hole, .id = *verdict.expectation.hole});
    case Status::finding:
      return words({.kind = Claim::Kind::finding, .finding = verdict.signature.kind});
    case Status::inconclusive:
    case Status::discard:
      break;
  }
  return std::nullopt;
}

std::optional<std::string> departs(const Claim& claim, const Verdict& verdict) {
  const auto differs = [&](const std::string& got) { return fmt::format("expected {}; got {}", words(claim), got); };
  switch (claim.kind) {
    case Claim::Kind::pass:
      if (verdict.status == Status::pass) return std::nullopt;
      break;
    case Claim::Kind::refused:
      if (!fits(claim, verdict.outcome.refusal))
        return differs(fmt::format("{} from LibTorch", refusal_words(verdict.outcome.refusal)));
      if (!fits(claim, verdict.expectation.refusal))
        return differs(fmt::format("{} from the model", refusal_words(verdict.expectation.refusal)));
      return std::nullopt;
    case Claim::Kind::known_hole:
      if (verdict.status == Status::known_hole && verdict.expectation.hole == claim.id) return std::nullopt;
      break;
    case Claim::Kind::finding:
      if (verdict.status == Status::finding && verdict.signature.kind == claim.finding) return std::nullopt;
      if (verdict.status == Status::pass || verdict.status == Status::agreed_raise)
        return fmt::format("now passes ({}); expected {}", headline(verdict), words(claim));
      break;
  }
  return differs(headline(verdict));
}

Plan plan_for(FindingKind kind, Plan plan) {
  if (kind == FindingKind::nondeterminism) plan.executions = many_executions;
  const auto asked = [&](Witness witness) -> bool& { return plan.witnesses[static_cast<std::size_t>(witness)]; };
  const bool forward = kind == FindingKind::forward_mode, second = kind == FindingKind::second_order;
  if (forward || second) plan.witnesses.fill(false);
  asked(Witness::forward) = forward;
  asked(Witness::second) = second;
  return plan;
}

Plan plan_for(const std::optional<Claim>& claim, Plan plan) {
  return claim && claim->kind == Claim::Kind::finding ? plan_for(claim->finding, std::move(plan)) : plan;
}

}  // namespace gradsmith
