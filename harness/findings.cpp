#include "harness/findings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "harness/claim.hpp"
#include "harness/evidence.hpp"
#include "harness/op.hpp"
#include "harness/parse.hpp"
#include "harness/print.hpp"
#include "harness/repro.hpp"

namespace gradsmith {

namespace {

/// The ops at fault, or all ops of the chain in order, each once.
std::vector<std::string> ops_of(const Signature& signature, const Chain& chain) {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  if (!signature.guilty.empty()) {
    for (std::size_t at = 0; at <= signature.guilty.size();) {
      const std::size_t end = std::min(signature.guilty.find('+', at), signature.guilty.size());
      add(signature.guilty.substr(at, end - at));
      at = end + 1;
    }
    return names;
  }
  for (const Statement& statement : chain.statements)
    if (const auto* step = std::get_if<Step>(&statement)) add(std::string(step->op->name) + (step->inplace ? "_" : ""));
  return names;
}

/// The chain as stored: with the header that `replay` compares with.
std::string stored_text(Chain chain, const Signature& signature, const LaneSet& lanes) {
  std::erase_if(chain.comments, [](const std::string& comment) {
    return comment.starts_with("expect:") || comment.starts_with("lane:") || comment.starts_with("device:");
  });
  if (signature.device != "cpu") chain.comments.push_back("device: " + signature.device);
  if (const std::string list = lane_list(lanes); !list.empty()) chain.comments.push_back("lane: " + list);
  chain.comments.push_back(fmt::format("expect: finding {}", finding_name(signature.kind)));
  return print(chain);
}

std::string indented(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    out += "     " + text.substr(at, end - at) + "\n";
    at = end + 1;
  }
  return out;
}

}  // namespace

Findings::Findings(Store& store, KnownTable known, Settings settings)
    : store_(store), known_(std::move(known)), settings_(std::move(settings)) {}

void Findings::add(const Signature& signature, const Origin& origin, const std::function<Chain()>& chain,
                   const std::string& headline, const std::string& evidence) {
  const std::string text = signature.text();
  if (known_.issues.contains(text)) {
    ++known_seen_[text];
    return;
  }
  auto [at, is_new] = found_.try_emplace(text);
  Finding& finding = at->second;
  ++finding.count;
  if (!is_new && origin.rank >= finding.first.rank) return;
  finding.first = origin;
  finding.original = chain();
  if (!is_new) return;
  finding.signature = signature;
  finding.headline = headline;
  finding.evidence = evidence;
  finding.smallest = finding.original;
  store(text, finding);
  waiting_.push_back(text);
}

void Findings::resume(const Signature& signature, const Origin& origin, const Chain& original,
                      const std::string& headline, const std::string& evidence) {
  const std::string text = signature.text();
  const auto reached = store_.read_finding(text, "case.chain");
  add(signature, origin, [&] { return original; }, headline, evidence);
  const auto at = found_.find(text);
  if (at == found_.end() || !reached) return;
  at->second.announced = true;
  auto parsed = parse(*reached);
  if (!std::holds_alternative<Chain>(parsed)) return;
  at->second.smallest = std::get<Chain>(std::move(parsed));
  at->second.resumed = true;
  store(text, at->second);
}

void Findings::recount(const std::map<std::string, std::uint64_t>& by_signature) {
  for (const auto& [text, count] : by_signature) {
    if (known_.issues.contains(text)) known_seen_[text] = count;
    if (const auto at = found_.find(text); at != found_.end()) at->second.count = count;
  }
}

Plan Findings::plan_of(const Finding& finding) const {
  Plan plan = plan_for(finding.signature.kind, settings_.plan);
  plan.lanes = with_lanes_of(finding.original, plan.lanes, "finding");
  return plan;
}

void Findings::store(const std::string& text, Finding& finding) {
  const LaneSet lanes = plan_of(finding).lanes;
  store_.write_finding(text, "original.chain", stored_text(finding.original, finding.signature, lanes));
  finding.file = store_.write_finding(text, "case.chain", stored_text(finding.smallest, finding.signature, lanes));
  const Mode mode = mode_of(finding.signature.kind);
  for (const ReproFile& program : repro_files(finding.smallest, mode, {finding.headline, settings_.versions}))
    store_.write_finding(text, program.name, program.text);
  store_.write_finding(text, "finding.md", page(text, finding));
}

bool Findings::work() {
  std::erase_if(running_, [this](Running& running) {
    if (!running.reduction.poll()) return false;
    found_.at(running.text).reduced_rank = running.rank;
    harvest(running.text, running.reduction);
    return true;
  });
  while (!waiting_.empty() && running_.size() < static_cast<std::size_t>(settings_.reductions_at_once)) {
    const std::string text = waiting_.front();
    waiting_.erase(waiting_.begin());
    const Finding& finding = found_.at(text);
    const Chain& start = finding.resumed ? finding.smallest : finding.original;
    running_.push_back({text, finding.first.rank, Reduction(start, finding.signature, plan_of(finding))});
  }
  return !running_.empty();
}

void Findings::harvest(const std::string& text, const Reduction& reduction) {
  Finding& finding = found_.at(text);
  const ReductionResult& result = reduction.result();
  finding.smallest = result.chain;
  finding.reduction = result.words();
  finding.repeats = result.repeat_words();
  if (!result.headline.empty()) finding.headline = result.headline;
  if (!result.evidence.empty()) finding.evidence = result.evidence;
  finding.known_as = is_known(result.signature) ? result.signature : "";
  store(text, finding);
  if (!finding.known_as.empty() || std::exchange(finding.announced, true)) return;
  const std::string path = (store_.folder() / finding.file).string();
  settings_.announce(
      fmt::format("FINDING {}\n   {}\n   reduced {} -> {} steps ({}); seen {} time{} so far\n   case:      {}\n"
                  "   replay:    {}\n{}",
                  text, finding.headline, step_count(finding.original), step_count(finding.smallest), finding.reduction,
                  finding.count, finding.count == 1 ? "" : "s", path, replay_words(finding, path),
                  indented(print(finding.smallest))));
}

void Findings::settle() {
  for (auto& [text, finding] : found_)
    if (finding.reduced_rank && *finding.reduced_rank != finding.first.rank) waiting_.push_back(text);
}

void Findings::stop() {
  waiting_.clear();
  for (Running& running : running_) {
    running.reduction.stop();
    harvest(running.text, running.reduction);
  }
  running_.clear();
}

void Findings::finish() {
  for (auto& [text, finding] : found_) store(text, finding);
}

std::size_t Findings::new_count() const {
  return static_cast<std::size_t>(
      std::count_if(found_.begin(), found_.end(), [](const auto& found) { return found.second.known_as.empty(); }));
}

std::vector<FindingEntry> Findings::entries() const {
  std::map<std::string, FindingEntry> sorted;
  const auto add_known = [&](const std::string& text, const KnownIssue& issue, std::uint64_t count) {
    sorted[text] = {text,
                    std::string(finding_name(issue.signature.kind)),
                    ops_of(issue.signature, {}),
                    count,
                    true,
                    issue.steps,
                    issue.file,
                    issue.since,
                    issue.link};
  };
  for (const auto& [text, count] : known_seen_) add_known(text, known_.issues.at(text), count);
  for (const auto& [text, finding] : found_)
    if (!finding.known_as.empty())
      add_known(text, known_.issues.at(finding.known_as), finding.count);
    else
      sorted[text] = {text,
                      std::string(finding_name(finding.signature.kind)),
                      ops_of(finding.signature, finding.smallest),
                      finding.count,
                      false,
                      step_count(finding.smallest),
                      finding.file,
                      "",
                      ""};
  std::vector<FindingEntry> list;
  for (auto& [text, entry] : sorted) list.push_back(std::move(entry));
  return list;
}

std::string Findings::replay_words(const Finding& finding, const std::string& file) const {
  std::string words = "gradsmith replay";
  if (finding.signature.device != "cpu") words += " --device " + settings_.plan.device;
  for (const std::string& library : finding.signature.device == "cpu" ? std::vector<std::string>{} : settings_.libraries)
    words += " --load " + library;
  return words + " " + file;
}

std::string Findings::page(const std::string& text, const Finding& finding) const {
  return finding_page(
      {.signature = text,
       .headline = finding.headline,
       .evidence = finding.evidence,
       .chain_text = print(finding.smallest),
       .guilty = finding.signature.guilty,
       .first = finding.first.words,
       .known_as = finding.known_as.empty()
                       ? ""
                       : fmt::format("{}, {}", finding.known_as, known_.issues.at(finding.known_as).file),
       .count = finding.count,
       .original_steps = step_count(finding.original),
       .steps = step_count(finding.smallest),
       .reduction = finding.reduction,
       .repeats = finding.repeats,
       .replay = replay_words(finding, (store_.folder() / "findings" / text / "case.chain").string()),
       .no_program = no_repro(finding.smallest, mode_of(finding.signature.kind)),
       .versions = settings_.versions});
}

}  // namespace gradsmith
