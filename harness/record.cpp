#include "harness/record.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "harness/evidence.hpp"
#include "harness/op.hpp"
#include "harness/op_words.hpp"
#include "harness/print.hpp"
#include "harness/version.hpp"

namespace gradsmith {

namespace {

using Json = nlohmann::ordered_json;

/// JSON has no infinities: those and NaN become their spelling in the chain language.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(print_number(value)); }

Json refusal_json(const std::optional<Refusal>& refusal) {
  if (!refusal) return nullptr;
  Json json{{"id", refusal->id}, {"phase", phase_name(refusal->phase)}};
  if (!refusal->message.empty()) json["message"] = refusal->message;
  return json;
}

Json testimony_json(const Testimony& testimony) {
  Json json{{"witness", witness_name(testimony.witness)}, {"says", opinion_name(testimony.opinion)}};
  if (!testimony.reason.empty()) json["reason"] = testimony.reason;
  if (testimony.opinion != Opinion::disagree) return json;
  json["kind"] = finding_name(testimony.kind);
  json["name"] = testimony.name;
  json["observed"] = number(testimony.observed);
  json["expected"] = number(testimony.expected);
  json["ratio"] = number(testimony.ratio);
  return json;
}

Json head(const Provenance& from, Status status) {
  return {{"seed", from.seed},
          {"case", from.index},
          {"status", status_name(status)},
          {"device", from.device},
          {"dtype", "f64"},
          {"seconds", from.seconds},
          {"version", version},
          {"libtorch", from.libtorch},
          {"cpu_capability", from.cpu}};
}

/// Messages may hold bytes that are not UTF-8; they are replaced rather than lost.
std::string line(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::uint64_t total(const Reasons& reasons) {
  std::uint64_t sum = 0;
  for (const auto& [reason, count] : reasons) sum += count;
  return sum;
}

Json finding_json(const FindingEntry& finding) {
  Json json{{"signature", finding.signature}, {"kind", finding.kind},   {"ops", finding.ops},  {"count", finding.count},
            {"known", finding.known},         {"steps", finding.steps}, {"file", finding.file}};
  if (!finding.since.empty()) json["since"] = finding.since;
  if (!finding.link.empty()) json["link"] = finding.link;
  return json;
}

Json cost_json(const Cost& cost) {
  return {{"forward_ns", cost.forward_nanoseconds}, {"backward_ns", cost.backward_nanoseconds},
          {"live_bytes", cost.live},                {"saved_bytes", cost.saved},
          {"peak_bytes", cost.peak},                {"allocations", cost.allocations}};
}

Json delta_json(const OpDelta& delta) {
  return {{"steps", delta.steps},
          {"timed_steps", delta.ratio.total()},
          {"time_ratio", delta.ratio.median()},
          {"saved_live_bytes", delta.live},
          {"saved_peak_bytes", delta.peak},
          {"target_bytes", delta.target},
          {"time_ratio_classes", delta.ratio.text()}};
}

Json deltas_json(const Tally& tally) {
  Json json = Json::object();
  for (const auto& [op, deltas] : tally.deltas)
    json[std::string(all_ops()[op]->name) + "_"] = {{"recorded", delta_json(deltas.recorded)},
                                                    {"unrecorded", delta_json(deltas.unrecorded)}};
  return json;
}

}  // namespace

std::string record_line(const Chain& chain, const Verdict& verdict, const Provenance& from) {
  Json json = head(from, verdict.status);
  if (verdict.status == Status::finding) {
    json["signature"] = verdict.signature.text();
    json["kind"] = finding_name(verdict.signature.kind);
    json["guilty"] = verdict.signature.guilty;
  }
  if (!verdict.reason.empty()) json["reason"] = verdict.reason;
  json["headline"] = headline(verdict);
  json["expected"] = {{"refusal", refusal_json(verdict.expectation.refusal)},
                      {"hole", verdict.expectation.hole ? Json(*verdict.expectation.hole) : Json(nullptr)}};
  json["observed"] = {{"refusal", refusal_json(verdict.outcome.refusal)}};
  for (const Testimony& testimony : verdict.testimonies) json["witnesses"].push_back(testimony_json(testimony));
  for (const LaneRemark& remark : verdict.remarks)
    json["lanes"].push_back({{"lane", lane_name(remark.lane)}, {"kind", finding_name(remark.kind)}, {"words", remark.words}});
  json["cost"] = cost_json(verdict.outcome.cost);
  json["twin_cost"] = verdict.twin_cost ? cost_json(*verdict.twin_cost) : Json(nullptr);
  json["chain"] = print(chain);
  return line(json);
}

std::string record_line(const Chain& chain, const Signature& signature, std::string_view what, const Provenance& from) {
  Json json = head(from, Status::finding);
  json["signature"] = signature.text();
  json["kind"] = finding_name(signature.kind);
  json["guilty"] = signature.guilty;
  json["headline"] = what;
  json["chain"] = print(chain);
  return line(json);
}

std::string summary_json(const Summary& summary) {
  const Tally& tally = summary.tally;
  Json json{{"version", version},
            {"libtorch", summary.libtorch},
            {"device", summary.device},
            {"dtype", summary.dtype},
            {"lanes", lane_list(summary.lanes)},
            {"seed", summary.seed},
            {"seconds", summary.seconds},
            {"finished", summary.finished},
            {"programs", tally.programs},
            {"accepted", tally.accepted},
            {"refused", tally.refused},
            {"agreed_raise", tally.agreed_raise},
            {"known_hole", tally.known_hole}};
  json["inconclusive"] = tally.inconclusive;
  json["discarded"] = tally.discarded;
  json["inconclusive_total"] = total(tally.inconclusive);
  json["discarded_total"] = total(tally.discarded);
  json["programs_per_second"] = summary.seconds > 0 ? static_cast<double>(tally.programs) / summary.seconds : 0.0;
  for (std::size_t w = 0; w < witness_count; ++w) {
    const auto& of = tally.witnesses[w];
    if (static_cast<Witness>(w) == Witness::device && summary.device == "cpu") continue;
    json["witness"][std::string(witness_names[w])] = {
        {"agree", of.agree}, {"disagree", of.disagree}, {"inconclusive", of.inconclusive}, {"skipped", of.skipped}};
    if (!of.notes.empty()) json["witness"][std::string(witness_names[w])]["notes"] = of.notes;
  }
  json["findings"] = Json::array();
  for (const FindingEntry& finding : summary.findings) json["findings"].push_back(finding_json(finding));
  json["now_passing"] = summary.now_passing;
  for (const HistoryPoint& at : summary.course)
    json["course"].push_back({{"seconds", std::round(at.seconds)},
                              {"programs", at.programs},
                              {"features", at.features},
                              {"units", at.units},
                              {"findings_new", at.findings_new},
                              {"rss_mb", at.rss_of_workers_mb}});
  json["ops"] = Json::object();
  for (std::size_t i = 0; i < tally.ops.size(); ++i)
    json["ops"][std::string(all_ops()[i]->name)] = {{"out_of_place", tally.ops[i].out_of_place},
                                                    {"in_place", tally.ops[i].in_place}};
  json["deltas"] = deltas_json(tally);
  json["control"] = {{"steps", tally.control.total()},
                     {"time_ratio", tally.control.median()},
                     {"time_ratio_classes", tally.control.text()}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::variant<std::map<std::string, OpUse>, std::string> op_uses(std::string_view summary_text) {
  const Json json = Json::parse(summary_text, nullptr, false);
  if (json.is_discarded()) return "not JSON";
  if (!json.is_object() || !json.contains("ops") || !json["ops"].is_object())
    return "no \"ops\" in it: not a run's summary";
  std::map<std::string, OpUse> uses;
  for (const auto& [name, counts] : json["ops"].items()) {
    const auto get = [&counts = counts](const char* key) {
      const bool there = counts.is_object() && counts.contains(key) && counts[key].is_number_unsigned();
      return there ? std::optional(counts[key].template get<std::uint64_t>()) : std::nullopt;
    };
    const auto out_of_place = get("out_of_place"), in_place = get("in_place");
    if (!out_of_place || !in_place) return fmt::format("\"ops\" has no counts for \"{}\"", name);
    uses[name] = {*out_of_place, *in_place};
  }
  return uses;
}

std::string op_table_json() {
  Json table = Json::array();
  for (const Op* op : all_ops()) {
    Json params = Json::array();
    for (const Param& param : op->params) {
      Json json{{"name", param.name}, {"kind", kind_name(param.kind)}};
      if (param.optional) json["default"] = argument_text(param.preset);
      params.push_back(std::move(json));
    }
    table.push_back({{"name", op->name},
                     {"forms", forms(*op)},
                     {"params", std::move(params)},
                     {"saves", saves_text(*op)},
                     {"alias", alias_name(op->alias)}});
  }
  return table.dump(2) + "\n";
}

}  // namespace gradsmith
