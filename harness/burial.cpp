#include "harness/burial.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/environment.hpp"
#include "harness/files.hpp"
#include "harness/parse.hpp"
#include "harness/print.hpp"
#include "harness/record.hpp"
#include "harness/signature_apart.hpp"
#include "harness/turns.hpp"

namespace gradsmith {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view from_outside =
    "SIGKILL";  // by nobody here: the machine's memory ran out, or somebody's hand

constexpr std::size_t most_waiting = 200;  // chains: a defect that kills at every turn need not fill the disk

bool is_death(FindingKind kind) { return kind == FindingKind::crash || kind == FindingKind::hang; }

std::string in_words(const std::string& op) { return op.empty() ? "" : " in " + op; }

/// Where what a sanitizer said of a death lies.
fs::path report_beside(const fs::path& chain) { return fs::path(chain).replace_extension(".report"); }

/// What a sanitizer said of a death, for people; empty if it said nothing.
std::string report_words(const fs::path& chain) {
  std::error_code ignored;
  const fs::path file = report_beside(chain);
  if (!fs::is_regular_file(file, ignored)) return {};
  return fmt::format("\nIt shows in a build with sanitizers: `build/asan/gradsmith replay FILE`.\n\n```\n{}```\n",
                     read_whole(file.string()));
}

/// The signature of a death that did not show again.
Signature unconfirmed(const std::string& how) {
  Signature signature;
  signature.kind = how == "hang"   ? FindingKind::hang
                   : how == "leak" ? FindingKind::leak
                                   : FindingKind::crash;
  if (signature.kind == FindingKind::crash) signature.detail = how;
  return signature;
}

}  // namespace

Burial::Burial(Settings settings) : settings_(std::move(settings)) {
  for (std::size_t k = 0; k < settings_.workers.size(); ++k) {
    const WorkerFolder& folder = settings_.workers[k];
    for (const std::string& name : files_in(folder.deaths()))
      if (name.ends_with(".chain")) put_down(static_cast<int>(k), folder.deaths() / name);
    const auto at = read_slot(folder.slot());
    if (at && at->busy()) take(static_cast<int>(k), 0, {.how = std::string(from_outside), .at = at});
  }
}

void Burial::take(int index, std::uint64_t restart, const PostDeath& death) {
  const WorkerFolder& folder = settings_.workers[static_cast<std::size_t>(index)];
  if (!death.at) {
    if (death.how == from_outside) return;
    const std::string kept = folder.log().string() + "." + death.how;
    std::error_code ignored;
    fs::copy_file(folder.log(), kept, fs::copy_options::overwrite_existing, ignored);
    settings_.tell(
        fmt::format("worker {} died between inputs ({}); please report this; its log is {}", index, death.how, kept));
    return;
  }
  if (waiting_.size() >= most_waiting) {
    if (death.how != from_outside) ++settings_.counts[unconfirmed(death.how).text()];
    return;
  }
  // Number and cause are in the name, so that a later process can go on.
  const fs::path file = folder.deaths() / fmt::format("{}-{}-{}.chain", restart, death.at->input, death.how);
  if (!death.report.empty()) write_atomically(report_beside(file), death.report);
  write_atomically(file, death.at->text);
  put_down(index, file);
}

void Burial::put_down(int index, const fs::path& file) {
  auto parsed = parse(read_chain_text(file.string()));
  const std::string stem = file.stem().string();
  const std::string how = stem.substr(stem.find('-', stem.find('-') + 1) + 1);
  if (auto* chain = std::get_if<Chain>(&parsed)) {
    waiting_.push_back({index, file, how, std::move(*chain)});
    return;
  }
  const fs::path kept =
      settings_.workers[static_cast<std::size_t>(index)].path / ("unreadable-" + file.filename().string());
  std::error_code ignored;
  fs::rename(file, kept, ignored);
  if (how != from_outside)
    settings_.tell(fmt::format("worker {} died while it read its input ({}); please report this; it is {}", index, how,
                               kept.string()));
}

bool Burial::work() {
  if (waiting_.empty()) return false;
  const Case& one = waiting_.front();
  if (!confirming_) {
    shown_.reset();
    confirming_.emplace([this, &one](const Child::Send& send) {
      Plan plan{.lanes = with_lanes_of(one.chain, {}, one.file.string())};
      ask_in_turn(plan.witnesses, one.chain);  // what the worker asked
      if (const auto signature = signature_apart(one.chain, plan, settings_.patience)) {
        CaseReport report;
        report.signature = *signature;
        send(encode(report));
      }
    });
  }
  const bool open = confirming_->receive([this](std::string_view frame) {
    if (const auto report = decode(frame)) shown_ = report->signature;
  });
  if (open) return true;
  confirming_->wait();
  confirming_.reset();
  settle(one, shown_);
  waiting_.erase(waiting_.begin());
  return !waiting_.empty();
}

void Burial::settle(const Case& one, const std::optional<Signature>& shown) {
  const bool again = shown && is_death(shown->kind);
  if (again || one.how != from_outside || shown) {
    CaseReport report;
    report.status = Status::finding;
    report.signature = again || (shown && one.how == from_outside) ? *shown : unconfirmed(one.how);
    report.headline = fmt::format("a worker ended with {}{}; {}", one.how, in_words(report.signature.guilty),
                                  again ? "shown again alone" : "not shown again alone");
    report.evidence = report.headline + "\n" + report_words(one.file);
    const std::string signature = report.signature.text();
    ++settings_.counts[signature];
    report.record = record_line(one.chain, report.signature, report.headline,
                                {.libtorch = libtorch_version(), .cpu = cpu_capability()});
    settings_.workers[static_cast<std::size_t>(one.index)].write_found({print(one.chain), report});
  }
  if (again) remove_unit(one.chain);
  std::error_code ignored;
  fs::remove(report_beside(one.file), ignored);
  fs::remove(one.file, ignored);  // last: a kill before this line only does it all again
}

void Burial::remove_unit(const Chain& chain) const {
  std::vector<fs::path> folders{settings_.merged};
  for (const WorkerFolder& worker : settings_.workers) folders.push_back(worker.corpus());
  for (const fs::path& folder : folders)
    for (const std::string& name : files_in(folder)) {
      const auto unit = parse(read_chain_text((folder / name).string()));
      std::error_code ignored;
      if (const auto* same = std::get_if<Chain>(&unit); same && *same == chain) fs::remove(folder / name, ignored);
    }
}

}  // namespace gradsmith
