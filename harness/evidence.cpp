#include "harness/evidence.hpp"

#include <fmt/format.h>

#include "harness/print.hpp"

namespace gradsmith {

namespace {

bool is_about_errors(FindingKind kind) {
  return kind == FindingKind::missing_error || kind == FindingKind::spurious_error || kind == FindingKind::wrong_error;
}

std::string expected_words(const Verdict& verdict) {
  if (verdict.expectation.hole && !verdict.expectation.refusal)
    return fmt::format("no error, and a wrong gradient: the known hole {}", *verdict.expectation.hole);
  return refusal_words(verdict.expectation.refusal);
}

bool is_about_costs(FindingKind kind) {
  return kind == FindingKind::memory || kind == FindingKind::time;
}

std::string numbers(const Testimony& testimony) {
  if (is_about_costs(testimony.kind)) return testimony.reason;
  return fmt::format("{}: observed {}, expected {}, {:.2g} x tolerance unit", testimony.name,
                     print_number(testimony.observed), print_number(testimony.expected), testimony.ratio);
}

std::string words_of(const LaneRemark& remark) { return fmt::format("{} (lane {})", remark.words, lane_name(remark.lane)); }

std::string first_line(std::string_view text) { return std::string(text.substr(0, text.find('\n'))); }

}  // namespace

std::string refusal_words(const std::optional<Refusal>& refusal) {
  if (!refusal) return "no error";
  return fmt::format("{} {} {}", refusal->id, refusal->phase.kind == Phase::Kind::step ? "at" : "in",
                     phase_name(refusal->phase));
}

const Testimony* deciding_testimony(const Verdict& verdict) {
  const Testimony* any = nullptr;
  for (const Testimony& testimony : verdict.testimonies) {
    if (testimony.opinion != Opinion::disagree) continue;
    if (testimony.kind == verdict.signature.kind) return &testimony;
    if (!any) any = &testimony;
  }
  return any;
}

std::string headline(const Verdict& verdict) {
  if (verdict.status == Status::agreed_raise) return fmt::format("refused: {}", refusal_words(verdict.outcome.refusal));
  if (verdict.status == Status::known_hole) return fmt::format("known hole {}", verdict.expectation.hole.value_or("?"));
  if (verdict.status != Status::finding) {
    const auto name = std::string(status_name(verdict.status));
    return verdict.reason.empty() ? name : fmt::format("{}: {}", name, verdict.reason);
  }
  std::string line(finding_name(verdict.signature.kind));
  if (!verdict.signature.guilty.empty()) line += " " + verdict.signature.guilty;
  const Testimony* decides = deciding_testimony(verdict);
  if (verdict.remarks.empty() && decides && decides->witness == Witness::device)
    return fmt::format("{}: {} (device)", line, decides->reason);
  if (is_about_errors(verdict.signature.kind))
    return fmt::format("{}: expected {}, got {}", line, expected_words(verdict),
                       refusal_words(verdict.outcome.refusal));
  if (!verdict.remarks.empty()) return fmt::format("{}: {}", line, words_of(verdict.remarks.front()));
  if (!verdict.reason.empty()) return fmt::format("{}: {}", line, verdict.reason);  // of a process that died
  if (decides)
    line += fmt::format(": {} ({})", decides->errors.empty() ? numbers(*decides) : first_line(decides->reason),
                        witness_name(decides->witness));
  return line;
}

std::string evidence(const Verdict& verdict) {
  std::string out =
      fmt::format("- expected: {}\n- seen: {}\n", expected_words(verdict), refusal_words(verdict.outcome.refusal));
  if (verdict.outcome.refusal)
    out += fmt::format("- LibTorch's words: {}\n", first_line(verdict.outcome.refusal->message));
  for (const LaneRemark& remark : verdict.remarks) out += fmt::format("- {}\n", words_of(remark));
  if (!verdict.reason.empty()) out += fmt::format("- reason: {}\n", verdict.reason);
  out +=
      "\n| witness | says | of | observed | expected | ratio | words |\n| --- | --- | --- | ---: | ---: | ---: | --- "
      "|\n";
  for (const Testimony& testimony : verdict.testimonies) {
    const bool has_numbers = testimony.opinion == Opinion::disagree && !is_about_errors(testimony.kind);
    out += fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", witness_name(testimony.witness),
                       opinion_name(testimony.opinion), testimony.name,
                       has_numbers ? print_number(testimony.observed) : "",
                       has_numbers ? print_number(testimony.expected) : "",
                       has_numbers && !is_about_costs(testimony.kind) ? fmt::format("{:.3g}", testimony.ratio) : "",
                       first_line(testimony.reason));
  }
  return out;
}

std::string finding_page(const FindingFacts& facts) {
  const std::string programs = facts.no_program.empty()
                                   ? "`repro.cpp` and `repro.py` beside this page; their heads say how to run them"
                                   : "no program, since " + facts.no_program;
  return fmt::format(
      "# {}\n\n{}\n\n- guilty: {}\n{}- seen: {} time{}; first in {}\n- steps: {} reduced to {} ({})\n"
      "- repeats: {}\n- replay: `{}`\n- without GradSmith: {}\n- versions: {}\n\n## Evidence\n\n{}\n## Chain\n\n```\n"
      "{}```\n",
      facts.signature, facts.headline, facts.guilty.empty() ? "not known" : facts.guilty,
      facts.known_as.empty() ? "" : "- known, once reduced: " + facts.known_as + "\n", facts.count,
      facts.count == 1 ? "" : "s", facts.first, facts.original_steps, facts.steps, facts.reduction, facts.repeats,
      facts.replay, programs, facts.versions, facts.evidence, facts.chain_text);
}

}  // namespace gradsmith
