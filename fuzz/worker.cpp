#include "fuzz/worker.hpp"

#include <signal.h>

#include <cstdio>
#include <cstdlib>

#include "harness/environment.hpp"
#include "harness/evidence.hpp"
#include "harness/exits.hpp"
#include "harness/known.hpp"
#include "harness/print.hpp"
#include "harness/record.hpp"
#include "harness/retype.hpp"
#include "harness/turns.hpp"

namespace gradsmith {

namespace {

constexpr std::chrono::milliseconds count_every(2000), count_at_first(100);  // a worker that soon dies has counted too
constexpr auto young = std::chrono::seconds(10);
constexpr std::size_t most_signatures = 1000;  // written down by one worker; all are counted

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

/// Bad settings and a folder that cannot be written end the process with the exit code that says so.
template <class Work>
void or_leave(Work work) {
  try {
    work();
  } catch (const UsageError& error) {
    std::fprintf(stderr, "%s\n", error.message.c_str());
    std::_Exit(exit_usage);
  } catch (const EnvironmentError& error) {
    std::fprintf(stderr, "%s\n", error.message.c_str());
    std::_Exit(exit_missing);
  }
}

Knobs knobs_named(std::string_view list) {
  Knobs knobs;
  while (!list.empty()) {
    const std::string_view name = list.substr(0, list.find(','));
    list.remove_prefix(std::min(name.size() + 1, list.size()));
    if (name == "small") {
      knobs.max_steps = 5;
      knobs.max_elements = 4;
    } else if (name == "refused") {
      knobs.refused = 80;
      knobs.inplace = 75;
      knobs.aliasing = 70;
    } else if (name == "mixed") {
      knobs.mixed = true;
    } else if (const auto dtype = floating_named(name)) {
      knobs.dtype = *dtype;
    } else {
      throw UsageError{"GRADSMITH_KNOBS: unknown word \"" + std::string(name) +
                       "\"; expected small, refused, mixed, f32, bf16 or f16"};
    }
  }
  return knobs;
}

}  // namespace

FuzzWorker::FuzzWorker(Reached* coverage) {
  plan_.coverage = coverage;
  supervisor_ = std::atoi(std::string(variable("GRADSMITH_SUPERVISOR")).c_str());
  or_leave([this] {
    knobs_ = knobs_named(variable("GRADSMITH_KNOBS"));
    if (const std::string_view lanes = variable("GRADSMITH_LANES"); !lanes.empty())
      plan_.lanes = lanes_in(lanes, "GRADSMITH_LANES");
    if (const std::string_view folder = variable("GRADSMITH_WORKER"); !folder.empty()) {
      folder_ = WorkerFolder{folder};
      folder_->make();
      slot_.emplace(folder_->slot());
      plan_.entering = [this](std::string_view phase) { slot_->enter(phase); };
      count_ = folder_->read_count();
      for (const std::string& signature : folder_->found_signatures()) seen_.insert(signature);
      aborts_ = false;
      libtorch_ = libtorch_version();
      cpu_ = cpu_capability();
      return;
    }
    const std::string_view wanted = variable("GRADSMITH_ON_FINDING");
    if (!wanted.empty() && wanted != "abort" && wanted != "report")
      throw UsageError{"GRADSMITH_ON_FINDING: \"" + std::string(wanted) + "\" is neither abort nor report"};
    aborts_ = wanted != "report";
    const std::string_view corpus = variable("GRADSMITH_CORPUS");
    for (const auto& [signature, issue] :
         learn_known(corpus.empty() ? "corpus" : corpus, {.lanes = plan_.lanes}, floating_types).issues)
      seen_.insert(signature);
  });
}

void FuzzWorker::prepare() const {
  or_leave([this] { gradsmith::prepare(plan_); });
}

void FuzzWorker::begin(std::string_view bytes) {
  if (supervisor_ > 0 && ::kill(supervisor_, 0) != 0) std::_Exit(exit_missing);
  if (slot_) slot_->begin(bytes);
}

Verdict FuzzWorker::judge(const Chain& input) {
  Chain chain = input;
  if (const std::string lanes = lane_list(plan_.lanes); !lanes.empty()) chain.comments.push_back("lane: " + lanes);
  if (slot_) slot_->chain(print(chain));
  if (!aborts_) ask_in_turn(plan_.witnesses, chain);
  Verdict verdict = gradsmith::judge(chain, plan_);
  if (folder_)
    or_leave([&] { record(chain, verdict); });
  else if (verdict.status == Status::finding)
    tell(chain, verdict);
  return verdict;
}

void FuzzWorker::end() {
  if (!slot_) return;
  slot_->end();
  const auto now = std::chrono::steady_clock::now();
  if (now - counted_ < (now - begun_ < young ? count_at_first : count_every)) return;
  counted_ = now;
  or_leave([this] { folder_->write_count(count_); });
}

void FuzzWorker::record(const Chain& chain, const Verdict& verdict) {
  CaseReport report = case_report(chain, verdict);
  count_.tally.add(report);
  if (verdict.status != Status::finding) return;
  const std::string signature = verdict.signature.text();
  ++count_.findings[signature];
  if (seen_.size() >= most_signatures || !seen_.insert(signature).second) return;
  report.headline = headline(verdict);
  report.evidence = evidence(verdict);
  report.record = record_line(chain, verdict, {.index = count_.tally.programs, .libtorch = libtorch_, .cpu = cpu_});
  folder_->write_found({print(chain), report});
}

void FuzzWorker::tell(const Chain& chain, const Verdict& verdict) {
  const std::string signature = verdict.signature.text();
  if (!seen_.insert(signature).second) return;
  std::fprintf(stderr, "DEDUP_TOKEN: %s\n", signature.c_str());  // holds `-minimize_crash` to this signature
  for (const LaneRemark& remark : verdict.remarks)
    std::fprintf(stderr, "lane %s: %s\n", std::string(lane_name(remark.lane)).c_str(), remark.words.c_str());
  for (const Testimony& t : verdict.testimonies)
    if (t.opinion == Opinion::disagree)
      std::fprintf(stderr, "%s: %s\n", std::string(witness_name(t.witness)).c_str(), t.reason.c_str());
  std::fputs(print(chain).c_str(), stderr);
  if (aborts_) std::abort();
}

}  // namespace gradsmith
