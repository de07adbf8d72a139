#include "harness/tally.hpp"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
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
void put(std::string& out, std::uint64_t number) { put(out, fmt::format_int(number).str()); }
void put(std::string& out, const Reasons& reasons) {
  put(out, reasons.size());
  for (const auto& [reason, times] : reasons) {
    put(out, reason);
    put(out, times);
  }
}
/// One field for all: there are several in every report.
void put(std::string& out, const StepDelta& delta) {
  put(out, fmt::format(FMT_COMPILE("{} {} {} {} {} {} {}"), position(delta.op), int{delta.inplace}, int{delta.recorded},
                       delta.ratio, delta.live, delta.peak, delta.target));
}
void put(std::string& out, const RatioHistogram& histogram) { put(out, histogram.text()); }
void put(std::string& out, const OpDelta& delta) {
  put(out, delta.steps);
  put(out, delta.ratio);
  put(out, fmt::format(FMT_COMPILE("{} {} {}"), delta.live, delta.peak, delta.target));
}

/// Takes fields off the front. After bytes that are no field, `good` is false and all further fields are empty.
struct Reader {
  std::string_view rest;
  bool good = true;
  std::string_view text() {
    std::size_t size = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), size);
    const auto start = static_cast<std::size_t>(end - rest.data()) + 1;
    good =
        good && error == std::errc() && start <= rest.size() && rest[start - 1] == ':' && size <= rest.size() - start;
    if (!good) return {};
    const auto field = rest.substr(start, size);
    rest.remove_prefix(start + size);
    return field;
  }
  std::uint64_t number() {
    const auto field = text();
    std::uint64_t value = 0;
    good = std::from_chars(field.data(), field.data() + field.size(), value).ec == std::errc() && good;
    return value;
  }
  Reasons reasons() {
    Reasons map;
    for (std::uint64_t left = number(); left > 0 && good; --left) {
      const std::string reason(text());
      map[reason] = number();
    }
    return map;
  }
  /// One field of numbers with spaces between them.
  template <std::size_t size>
  std::array<std::int64_t, size> numbers() {
    const auto field = text();
    std::array<std::int64_t, size> all{};
    const char *at = field.data(), *const end = at + field.size();
    for (std::int64_t& number : all) {
      if (&number != &all[0]) good = good && at != end && *at++ == ' ';
      if (!good) return {};
      const auto [next, error] = std::from_chars(at, end, number);
      good = error == std::errc();
      at = next;
    }
    good = good && at == end;
    return all;
  }
  StepDelta delta() {
    const auto [op, inplace, recorded, ratio, live, peak, target] = numbers<7>();
    good = good && op >= 0 && static_cast<std::size_t>(op) < all_ops().size() && ratio >= StepDelta::untimed &&
           ratio < RatioHistogram::classes;
    if (!good) return {};
    return {.op = all_ops()[static_cast<std::size_t>(op)],
            .inplace = inplace != 0,
            .recorded = recorded != 0,
            .ratio = static_cast<int>(ratio),
            .live = live,
            .peak = peak,
            .target = target};
  }
  RatioHistogram histogram() {
    const auto read = RatioHistogram::from(text());
    good = good && read;
    return read.value_or(RatioHistogram());
  }
  OpDelta op_delta() {
    OpDelta out{.steps = number(), .ratio = histogram()};
    const auto [live, peak, target] = numbers<3>();
    out.live = live;
    out.peak = peak;
    out.target = target;
    return out;
  }
};

void add_to(Reasons& sum, const Reasons& more) {
  for (const auto& [reason, times] : more) {
    const bool fits = sum.contains(reason) || sum.size() < most_reasons;
    sum[fits ? reason : "other"] += times;
  }
}

}  // namespace

CaseReport case_report(const Chain& chain, const Verdict& verdict) {
  CaseReport report;
  report.status = verdict.status;
  report.raised = verdict.outcome.refusal.has_value();
  report.reason = verdict.reason;
  for (const Testimony& testimony : verdict.testimonies) {
    const auto w = static_cast<std::size_t>(testimony.witness);
    report.opinions[w] = testimony.opinion;
    const bool added = testimony.witness == Witness::device && testimony.opinion == Opinion::agree;
    if (testimony.opinion == Opinion::inconclusive || testimony.opinion == Opinion::skipped || added)
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
  put(out, static_cast<std::uint64_t>(report.status));
  put(out, report.raised ? std::uint64_t{1} : 0);
  put(out, report.reason);
  for (std::size_t w = 0; w < witness_count; ++w) {
    put(out, static_cast<std::uint64_t>(report.opinions[w]));
    put(out, report.reasons[w]);
  }
  put(out, report.uses.size());
  for (const std::uint32_t use : report.uses) put(out, use);
  put(out, report.deltas.size());
  for (const StepDelta& delta : report.deltas) put(out, delta);
  put(out, static_cast<std::uint64_t>(report.signature.kind));
  for (const std::string* field : {&report.signature.guilty, &report.signature.detail, &report.signature.dtype,
                                   &report.signature.device, &report.headline, &report.evidence, &report.record})
    put(out, *field);
  return out;
}

std::optional<CaseReport> decode(std::string_view bytes) {
  Reader in{bytes};
  CaseReport report;
  report.status = static_cast<Status>(in.number());
  report.raised = in.number() != 0;
  report.reason = in.text();
  for (std::size_t w = 0; w < witness_count; ++w) {
    report.opinions[w] = static_cast<Opinion>(in.number());
    report.reasons[w] = in.text();
  }
  report.uses.resize(std::min<std::uint64_t>(in.number(), bytes.size()));
  for (std::uint32_t& use : report.uses) use = static_cast<std::uint32_t>(in.number());
  report.deltas.resize(std::min<std::uint64_t>(in.number(), bytes.size()));
  for (StepDelta& delta : report.deltas) delta = in.delta();
  report.signature.kind = static_cast<FindingKind>(in.number());
  for (std::string* field : {&report.signature.guilty, &report.signature.detail, &report.signature.dtype,
                             &report.signature.device, &report.headline, &report.evidence, &report.record})
    *field = in.text();
  if (!in.good || !in.rest.empty()) return std::nullopt;
  return report;
}

void Tally::add(const Tally& other) {
  programs += other.programs;
  accepted += other.accepted;
  refused += other.refused;
  agreed_raise += other.agreed_raise;
  known_hole += other.known_hole;
  add_to(inconclusive, other.inconclusive);
  add_to(discarded, other.discarded);
  for (std::size_t w = 0; w < witness_count; ++w) {
    witnesses[w].agree += other.witnesses[w].agree;
    witnesses[w].disagree += other.witnesses[w].disagree;
    add_to(witnesses[w].inconclusive, other.witnesses[w].inconclusive);
    add_to(witnesses[w].skipped, other.witnesses[w].skipped);
    add_to(witnesses[w].notes, other.witnesses[w].notes);
  }
  ops.resize(std::max(ops.size(), other.ops.size()));
  for (std::size_t i = 0; i < other.ops.size(); ++i) {
    ops[i].out_of_place += other.ops[i].out_of_place;
    ops[i].in_place += other.ops[i].in_place;
  }
  for (const auto& [op, more] : other.deltas) {
    OpDeltas& of = deltas[op];
    of.recorded.add(more.recorded);
    of.unrecorded.add(more.unrecorded);
  }
  control.add(other.control);
}

std::string encode(const Tally& tally) {
  std::string out;
  for (const std::uint64_t count :
       {tally.programs, tally.accepted, tally.refused, tally.agreed_raise, tally.known_hole})
    put(out, count);
  put(out, tally.inconclusive);
  put(out, tally.discarded);
  for (const Tally::OfWitness& of : tally.witnesses) {
    put(out, of.agree);
    put(out, of.disagree);
    put(out, of.inconclusive);
    put(out, of.skipped);
    put(out, of.notes);
  }
  put(out, tally.ops.size());
  for (const OpUse& use : tally.ops) {
    put(out, use.out_of_place);
    put(out, use.in_place);
  }
  put(out, tally.deltas.size());
  for (const auto& [op, of] : tally.deltas) {
    put(out, op);
    put(out, of.recorded);
    put(out, of.unrecorded);
  }
  put(out, tally.control);
  return out;
}

std::optional<Tally> decode_tally(std::string_view bytes) {
  Reader in{bytes};
  Tally tally;
  for (std::uint64_t* count :
       {&tally.programs, &tally.accepted, &tally.refused, &tally.agreed_raise, &tally.known_hole})
    *count = in.number();
  tally.inconclusive = in.reasons();
  tally.discarded = in.reasons();
  for (Tally::OfWitness& of : tally.witnesses) {
    of.agree = in.number();
    of.disagree = in.number();
    of.inconclusive = in.reasons();
    of.skipped = in.reasons();
    of.notes = in.reasons();
  }
  const std::uint64_t ops = in.number();
  if (ops > 0 && ops != all_ops().size()) return std::nullopt;
  tally.ops.resize(ops);
  for (OpUse& use : tally.ops) {
    use.out_of_place = in.number();
    use.in_place = in.number();
  }
  for (std::uint64_t left = in.number(); left > 0 && in.good; --left) {
    const std::uint64_t op = in.number();
    if (op >= all_ops().size()) return std::nullopt;
    Tally::OpDeltas& of = tally.deltas[static_cast<std::uint32_t>(op)];
    of.recorded = in.op_delta();
    of.unrecorded = in.op_delta();
  }
  tally.control = in.histogram();
  if (!in.good || !in.rest.empty()) return std::nullopt;
  return tally;
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
        if (!report.reasons[w].empty()) count(witnesses[w].notes, report.reasons[w]);
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
