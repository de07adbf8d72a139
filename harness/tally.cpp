#include "harness/tally.hpp"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <charconv>
#include <unordered_map>

#include "harness/op.hpp"

namespace gradsmith {

namespace {

constexpr std::size_t most_reasons = 256;  // reasons are few; a text with numbers in it must not eat the memory

void count(Reasons& reasons, const std::string& reason) {
  if (const auto at = reasons.find(reason); at != reasons.end() || reasons.size() < most_reasons)
    ++reasons[reason.empty() ? "unstated" : reason];
  else
    ++reasons["other"];
}

std::uint32_t position(const Op* op) {
  static const auto positions = [] {
    std::unordered_map<const Op*, std::uint32_t> map;
    for (const Op* each : all_ops()) map.emplace(each, static_cast<std::uint32_t>(map.size()));
    return map;
  }();
  return positions.at(op);
}

/// A field is its length, a colon and its bytes.
void put(std::string& out, std::string_view field) {
  fmt::format_to(std::back_inserter(out), "{}:{}", field.size(), field);
}
void put(std::string& out, std::int64_t number) {
  const fmt::format_int text(number);
  put(out, std::string_view(text.data(), text.size()));
}
/// One field for all: there are several in every report.
void put(std::string& out, const StepDelta& delta) {
  put(out, fmt::format(FMT_COMPILE("{} {} {} {} {} {} {}"), position(delta.op), int{delta.inplace}, int{delta.recorded},
                       delta.ratio, delta.live, delta.peak, delta.target));
}

struct Reader {
  std::string_view rest;
  std::string_view text() {
    std::size_t size = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), size);
    const auto start = static_cast<std::size_t>(end - rest.data()) + 1;
    const auto field = rest.substr(start, size);
    rest.remove_prefix(start + size);
    return field;
  }
  std::int64_t number() {
    const auto field = text();
    std::int64_t value = 0;
    std::from_chars(field.data(), field.data() + field.size(), value);
    return value;
  }
  StepDelta delta() {
    const auto field = text();
    std::array<std::int64_t, 7> numbers{};
    const char* at = field.data();
    for (std::int64_t& number : numbers) {
      at = std::from_chars(at, field.data() + field.size(), number).ptr;
      ++at;  // the space
    }
    const auto [op, inplace, recorded, ratio, live, peak, target] = numbers;
    return {all_ops()[static_cast<std::size_t>(op)], inplace != 0, recorded != 0, static_cast<int>(ratio), live, peak, target};
  }
};

}  // namespace

CaseReport case_report(const Chain& chain, const Verdict& verdict) {
  CaseReport report;
  report.status = verdict.status;
  report.raised = verdict.outcome.refusal.has_value();
  report.reason = verdict.reason;
  for (const Testimony& testimony : verdict.testimonies) {
    const auto w = static_cast<std::size_t>(testimony.witness);
    report.opinions[w] = testimony.opinion;
    if (testimony.opinion == Opinion::inconclusive || testimony.opinion == Opinion::skipped)
      report.reasons[w] = testimony.reason;
  }
  for (const Statement& statement : chain.statements)
    if (const auto* step = std::get_if<Step>(&statement))
      report.uses.push_back(position(step->op) * 2 + (step->inplace ? 1 : 0));
  report.deltas = verdict.deltas;
  if (verdict.status == Status::finding) report.signature = verdict.signature;
  return report;
}

std::string encode(const CaseReport& report) {
  std::string out;
  put(out, static_cast<std::int64_t>(report.status));
  put(out, std::int64_t{report.raised});
  put(out, report.reason);
  for (std::size_t w = 0; w < witness_count; ++w) {
    put(out, static_cast<std::int64_t>(report.opinions[w]));
    put(out, report.reasons[w]);
  }
  put(out, static_cast<std::int64_t>(report.uses.size()));
  for (const std::uint32_t use : report.uses) put(out, std::int64_t{use});
  put(out, static_cast<std::int64_t>(report.deltas.size()));
  for (const StepDelta& delta : report.deltas) put(out, delta);
  put(out, static_cast<std::int64_t>(report.signature.kind));
  for (const std::string* field : {&report.signature.guilty, &report.signature.detail, &report.signature.dtype,
                                   &report.signature.device, &report.headline, &report.evidence, &report.record})
    put(out, *field);
  return out;
}

CaseReport decode(std::string_view bytes) {
  Reader in{bytes};
  CaseReport report;
  report.status = static_cast<Status>(in.number());
  report.raised = in.number() != 0;
  report.reason = in.text();
  for (std::size_t w = 0; w < witness_count; ++w) {
    report.opinions[w] = static_cast<Opinion>(in.number());
    report.reasons[w] = in.text();
  }
  report.uses.resize(static_cast<std::size_t>(in.number()));
  for (std::uint32_t& use : report.uses) use = static_cast<std::uint32_t>(in.number());
  report.deltas.resize(static_cast<std::size_t>(in.number()));
  for (StepDelta& delta : report.deltas) delta = in.delta();
  report.signature.kind = static_cast<FindingKind>(in.number());
  for (std::string* field : {&report.signature.guilty, &report.signature.detail, &report.signature.dtype,
                             &report.signature.device, &report.headline, &report.evidence, &report.record})
    *field = in.text();
  return report;
}

void Tally::add(const CaseReport& report) {
  ++programs;
  if (report.raised) ++refused;
  if (!report.raised && report.status != Status::discard && report.signature.kind != FindingKind::crash &&
      report.signature.kind != FindingKind::hang)
    ++accepted;
  switch (report.status) {
    case Status::agreed_raise:
      ++agreed_raise;
      break;
    case Status::known_hole:
      ++known_hole;
      break;
    case Status::inconclusive:
      count(inconclusive, report.reason);
      break;
    case Status::discard:
      count(discarded, report.reason);
      break;
    case Status::pass:
    case Status::finding:
      break;
  }
  for (std::size_t w = 0; w < witness_count; ++w) switch (report.opinions[w]) {
      case Opinion::agree:
        ++witnesses[w].agree;
        break;
      case Opinion::disagree:
        ++witnesses[w].disagree;
        break;
      case Opinion::inconclusive:
        count(witnesses[w].inconclusive, report.reasons[w]);
        break;
      case Opinion::skipped:
        count(witnesses[w].skipped, report.reasons[w]);
        break;
    }
  ops.resize(all_ops().size());
  for (const std::uint32_t use : report.uses) ++(use % 2 ? ops[use / 2].in_place : ops[use / 2].out_of_place);
  for (const StepDelta& delta : report.deltas) {
    if (!delta.inplace) {
      control.add(delta.ratio);
      continue;
    }
    OpDeltas& of = deltas[position(delta.op)];
    (delta.recorded ? of.recorded : of.unrecorded).add(delta);
  }
}

}  // namespace gradsmith
