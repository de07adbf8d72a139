// `gradsmith run`: options checked, workers set going, reports counted, findings handed on, summary written.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <random>
#include <thread>

#include "harness/commands.hpp"
#include "harness/environment.hpp"
#include "harness/evidence.hpp"
#include "harness/exits.hpp"
#include "harness/files.hpp"
#include "harness/findings.hpp"
#include "harness/generate.hpp"
#include "harness/interrupt.hpp"
#include "harness/op_words.hpp"
#include "harness/pool.hpp"
#include "harness/print.hpp"
#include "harness/progress.hpp"
#include "harness/summary_words.hpp"
#include "harness/values.hpp"
#include "harness/version.hpp"

namespace gradsmith {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::uint64_t default_cases = 10'000;
constexpr std::uint64_t sample_every = 1000;  // of the chains that pass, one in so many is recorded
constexpr double summary_every = 10;          // seconds
// Where no witnesses are named, these are asked of one program in so many: what they add stays a small part of the cost.
constexpr std::uint64_t forward_every = 8, second_every = 16;

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void check_available(const RunOptions& options) {
  const std::string& dtype = options.dtype;
  if (dtype == "f32" || dtype == "bf16" || dtype == "f16")
    throw EnvironmentError{fmt::format("--dtype {}: not available in this release: f64 only", dtype)};
  if (dtype != "f64") throw UsageError{fmt::format("--dtype: \"{}\" is no floating type; expected f64", dtype)};
  if (options.device == "cuda") throw EnvironmentError{"--device cuda: not available in this release: cpu only"};
  if (options.device != "cpu")
    throw UsageError{fmt::format("--device: unknown device \"{}\"; expected cpu", options.device)};
}

Knobs knobs_of(const RunOptions& options) {
  Knobs knobs;
  knobs.max_steps = options.max_steps;
  for (const std::string& name : options.ops) {
    const Op* op = op_of_form(name);
    if (!op) throw UsageError{fmt::format("--ops: unknown op \"{}\"; nearest: \"{}\"", name, nearest_op(name))};
    knobs.ops.push_back(op);
  }
  return knobs;
}

/// One run from its first case to its summary.
class Run {
 public:
  Run(const RunOptions& options, const Plan& plan, const Knobs& knobs, std::uint64_t seed, Store& store,
      KnownTable known)
      : options_(options),
        plan_(plan),
        knobs_(knobs),
        seed_(seed),
        jobs_(jobs_of(options)),
        store_(store),
        slots_(store.make_slots(jobs_)),
        findings_(store, std::move(known),
                  {.plan = plan,
                   .reductions_at_once = jobs_,
                   .versions = versions_text(),
                   .announce = [this](const std::string& block) { announce(block); }}) {}

  int operator()() {
    run_pool({.count = cases(),
              .jobs = jobs_,
              .begin = [this](int) { prepare(plan_); },
              .work = [this](int worker, std::uint64_t index) { return judge_case(worker, index); },
              .done = [this](std::uint64_t index, std::string_view answer) { take(index, decode(answer).value()); },
              .died = [this](std::uint64_t index, const Death& death) { bury(index, death); },
              .keep_going = [this] { return keep_going(); }});
    wait_for_reductions();
    if (tally_.programs >= cases()) findings_.settle();
    wait_for_reductions();
    findings_.stop();
    findings_.finish();
    store_.sync();
    progress_.clear();
    const Summary last = summary(true);
    store_.write_summary(summary_json(last));
    store_.remove_slots();
    fmt::print("{}", summary_words(last, interrupted(), store_.folder()));
    std::fflush(stdout);
    if (options_.report.markdown || options_.report.junit) write_reports({store_.folder().string()}, options_.report);
    return findings_.new_count() > 0 ? exit_finding : exit_clean;
  }

 private:
  static int jobs_of(const RunOptions& options) {
    return options.jobs > 0 ? options.jobs : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  }
  std::uint64_t cases() const {
    if (options_.cases) return *options_.cases;
    return options_.seconds ? ~std::uint64_t{0} >> 1 : default_cases;
  }
  Chain chain_of(std::uint64_t index) const {
    Choices choices(mix_bits(seed_, 0, index));
    return generate(choices, knobs_);
  }
  Plan plan_of_case(std::uint64_t index) const {
    Plan plan = plan_;
    if (!options_.witnesses.empty()) return plan;
    plan.witnesses[static_cast<std::size_t>(Witness::forward)] = index % forward_every == 0;
    plan.witnesses[static_cast<std::size_t>(Witness::second)] = index % second_every == 1;
    return plan;
  }
  Provenance provenance(std::uint64_t index) const {
    return {.seed = seed_, .index = index, .libtorch = libtorch_, .cpu = cpu_};
  }

  /// In a worker: one case, written down before it is judged.
  std::string judge_case(int worker, std::uint64_t index) {
    const std::string where = fmt::format("gradsmith 1\n# case {} of seed {}: ", index, seed_);
    slots_[worker].write(where + "being generated\n", "");
    const Chain chain = chain_of(index);
    slots_[worker].write(where + "being judged\n" + print(chain).substr(sizeof "gradsmith 1"), where + "too long\n");
    const auto start = Clock::now();
    const Verdict verdict = judge(chain, plan_of_case(index));
    const double seconds = since(start);
    CaseReport report = case_report(chain, verdict);
    const bool finding = verdict.status == Status::finding;
    if (finding) {
      report.headline = headline(verdict);
      report.evidence = evidence(verdict);
    }
    if (finding || index % sample_every == 0) {
      Provenance from = provenance(index);
      from.seconds = seconds;
      report.record = record_line(chain, verdict, from);
    }
    return encode(report);
  }

  void take(std::uint64_t index, const CaseReport& report) {
    tally_.add(report);
    if (!report.record.empty()) store_.append(report.record);
    if (report.status != Status::finding) return;
    unsynced_ = true;
    findings_.add(report.signature, {index, fmt::format("case {} of seed {}", index, seed_)},
                  [&] { return chain_of(index); }, report.headline, report.evidence);
  }

  void bury(std::uint64_t index, const Death& death) {
    CaseReport report;
    report.status = Status::finding;
    report.signature = death_signature(death.hang, death.ended);
    for (std::string& reason : report.reasons) reason = "no outcome";
    report.headline = fmt::format("{}: {}", death.hang ? "hang" : "crash", death_words(death.hang, death.ended));
    report.evidence = report.headline + "\n";
    must_be_generable(index);
    report.record = record_line(chain_of(index), report.signature, report.headline, provenance(index));
    take(index, report);
  }

  /// The process may have died in the generator, which is our fault and no finding: then the parent must not follow it.
  void must_be_generable(std::uint64_t index) {
    if (apart([&] { return print(chain_of(index)); }, 20).answer) return;
    progress_.clear();
    fmt::print(stderr, "the generator itself dies or hangs in case {} of seed {}; please report this\n", index, seed_);
    std::abort();
  }

  bool keep_going() {
    if (unsynced_) store_.sync();
    unsynced_ = false;
    findings_.work();
    show_progress();
    if (since(start_) >= next_summary_) {
      store_.write_summary(summary_json(summary(false)));
      next_summary_ = since(start_) + summary_every;
    }
    if (interrupted()) return false;
    if (options_.seconds && since(start_) >= *options_.seconds) return false;
    return !(options_.stop_on_finding && findings_.new_count() > 0);
  }

  void wait_for_reductions() {
    while (!interrupted() && findings_.work()) {
      show_progress();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

  Summary summary(bool finished) const {
    return {.libtorch = libtorch_,
            .device = options_.device,
            .dtype = options_.dtype,
            .lanes = plan_.lanes,
            .seed = seed_,
            .seconds = since(start_),
            .finished = finished && !interrupted(),
            .tally = tally_,
            .findings = findings_.entries(),
            .now_passing = findings_.now_passing()};
  }

  void show_progress() {
    const double seconds = since(start_);
    if (!progress_.due(seconds)) return;
    const double rate = static_cast<double>(tally_.programs) / std::max(seconds, 1e-9);
    progress_.show(seconds, progress_words(tally_, rate, findings_.new_count(), findings_.known_count()) +
                                time_left(seconds, rate));
  }

  std::string time_left(double seconds, double rate) const {
    std::optional<double> left;
    if (options_.seconds) left = *options_.seconds - seconds;
    if ((options_.cases || !options_.seconds) && rate > 0) {
      const double by_cases = static_cast<double>(cases() - std::min(cases(), tally_.programs)) / rate;
      left = left ? std::min(*left, by_cases) : by_cases;
    }
    return left && *left > 0 ? fmt::format("  left {:.0f} s", *left) : std::string();
  }

  void announce(const std::string& block) {
    progress_.clear();
    fmt::print("{}", block);
    std::fflush(stdout);
  }

  const RunOptions& options_;
  const Plan plan_;
  const Knobs knobs_;
  const std::uint64_t seed_;
  const int jobs_;
  const std::string libtorch_ = libtorch_version(), cpu_ = cpu_capability();
  Store& store_;
  std::vector<Slot> slots_;
  Findings findings_;
  Tally tally_{};
  Progress progress_{};
  const Clock::time_point start_ = Clock::now();
  double next_summary_ = summary_every;
  bool unsynced_ = false;
};

}  // namespace

int command_run(const RunOptions& options) {
  check_available(options);
  const Plan plan = plan_of(options.witnesses, options.lanes);
  const Knobs knobs = knobs_of(options);
  const auto corpus = find_corpus(options.corpus);
  check_report_files(options.report);
  const std::uint64_t seed = options.seed ? *options.seed : std::random_device{}();
  Store store(options.out);
  catch_interrupts();
  fmt::print(stderr, "GradSmith {}, LibTorch {}, seed {}\n", version, libtorch_version(), seed);
  if (store.was_interrupted())
    fmt::print(stderr, "the last run here was killed; what it was judging is in {}\n",
               (store.folder() / "slots.interrupted").string());
  return Run(options, plan, knobs, seed, store, learn_known_aloud(corpus, plan))();
}

}  // namespace gradsmith
