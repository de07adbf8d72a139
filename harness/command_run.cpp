// `gradsmith run`: options checked, workers set going, reports counted, findings handed on, summary written.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <optional>
#include <random>
#include <thread>

#include "harness/blame.hpp"
#include "harness/commands.hpp"
#include "harness/device_ahead.hpp"
#include "harness/environment.hpp"
#include "harness/evidence.hpp"
#include "harness/exits.hpp"
#include "harness/files.hpp"
#include "harness/findings.hpp"
#include "harness/generate.hpp"
#include "harness/guilt.hpp"
#include "harness/interrupt.hpp"
#include "harness/op_words.hpp"
#include "harness/pool.hpp"
#include "harness/print.hpp"
#include "harness/progress.hpp"
#include "harness/retype.hpp"
#include "harness/signature_apart.hpp"
#include "harness/summary_words.hpp"
#include "harness/turns.hpp"
#include "harness/values.hpp"
#include "harness/version.hpp"

namespace gradsmith {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::uint64_t default_cases = 10'000;
constexpr std::uint64_t sample_every = 1000;  // of the chains that pass, one in so many is recorded
constexpr double summary_every = 10;          // seconds

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

constexpr std::string_view mixed = "mixed";

DType dtype_of(const RunOptions& options) {
  if (options.dtype == mixed) return DType::f64;
  if (const auto dtype = floating_named(options.dtype)) return *dtype;
  throw UsageError{
      fmt::format("--dtype: \"{}\" is no floating type; expected f64, f32, bf16, f16 or mixed", options.dtype)};
}

Knobs knobs_of(const RunOptions& options) {
  Knobs knobs;
  knobs.dtype = dtype_of(options);
  knobs.mixed = options.dtype == mixed;
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
                   .libraries = options.device.libraries,
                   .announce = [this](const std::string& block) { announce(block); }}) {}

  int operator()() {
    std::optional<EnvironmentError> missing;
    try {
      judge_all();
    } catch (const EnvironmentError& error) {  // a device ran out of memory, or came to no second start
      missing = error;
    }
    if (!missing) wait_for_reductions();
    if (!missing && tally_.programs >= cases()) findings_.settle();
    if (!missing) wait_for_reductions();
    findings_.stop();
    findings_.finish();
    store_.sync();
    progress_.clear();
    const Summary last = summary(!missing);
    store_.write_summary(summary_json(last));
    store_.remove_slots();
    fmt::print("{}", summary_words(last, interrupted(), store_.folder()));
    std::fflush(stdout);
    if (options_.report.markdown || options_.report.junit) write_reports({store_.folder().string()}, options_.report);
    if (missing) throw *missing;
    return findings_.new_count() > 0 ? exit_finding : exit_clean;
  }

 private:
  void judge_all() {
    run_pool({.count = cases(),
              .jobs = jobs_,
              .begin = [this](int) { begin(); },
              .work = [this](int worker, std::uint64_t index) { return judge_case(worker, index); },
              .done = [this](std::uint64_t index, std::string_view answer) { take(index, decode(answer).value()); },
              .died = [this](std::uint64_t index, const Death& death) { bury(index, death); },
              .keep_going = [this] { return keep_going(); }});
  }
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
  Plan plan_of_case(const Chain& chain) const {
    Plan plan = plan_;
    if (options_.witnesses.empty()) ask_in_turn(plan.witnesses, chain);
    return plan;
  }
  Provenance provenance(std::uint64_t index) const {
    return {.seed = seed_, .index = index, .libtorch = libtorch_, .cpu = cpu_, .device = device()};
  }

  std::string device() const { return plan_.device.empty() ? "cpu" : plan_.device; }

  /// In a worker.
  void begin() {
    prepare(plan_);
    if (!plan_.device.empty()) ahead_.emplace(plan_.device);
  }

  /// In a worker: the chain of that index; the device is given the chains that will be asked for next.
  const Chain& upcoming_chain(std::uint64_t index) {
    constexpr std::size_t depth = 8;
    const std::size_t wanted = ahead_ ? depth : 1;
    while (upcoming_.size() < wanted) {
      const std::uint64_t next = index + upcoming_.size() * static_cast<std::uint64_t>(jobs_);
      if (!upcoming_.empty() && next >= cases()) break;
      upcoming_.push_back(chain_of(next));
      if (ahead_) ahead_->run(upcoming_.back());
    }
    return upcoming_.front();
  }

  /// In a worker: one case, written down before it is judged.
  std::string judge_case(int worker, std::uint64_t index) {
    const std::string where = fmt::format("gradsmith 1\n# case {} of seed {}: ", index, seed_);
    slots_[worker].write(where + "being generated\n", "");
    const Chain& chain = upcoming_chain(index);
    slots_[worker].write(where + "being judged\n" + print(chain).substr(sizeof "gradsmith 1"), where + "too long\n");
    const auto start = Clock::now();
    const Verdict verdict = judge(chain, plan_of_case(chain));
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
    if (ahead_) ahead_->forget(chain);
    upcoming_.pop_front();
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
    must_be_generable(index);
    const Chain chain = chain_of(index);
    if (report.signature.guilty.empty()) name_op(chain, report.signature);
    for (std::string& reason : report.reasons) reason = "no outcome";
    report.headline = fmt::format("{}: {}", death.hang ? "hang" : "crash", death_words(death.hang, death.ended));
    report.evidence = report.headline + "\n";
    report.record = record_line(chain, report.signature, report.headline, provenance(index));
    take(index, report);
  }

  /// Of a death that named no op, in a backward or on a device. Once an op was found to die so, it takes the blame in
  /// all chains that have it: to find out takes several processes.
  void name_op(const Chain& chain, Signature& signature) {
    for (const Statement& statement : chain.statements)
      if (const auto* step = std::get_if<Step>(&statement))
        for (const Signature& death : deaths_)
          if (death.guilty == form_of(*step) && same_bug(signature, death)) {
            signature = death;
            return;
          }
    const auto alone = signature_apart(chain, plan_of_case(chain));
    if (!alone || !same_bug(signature, *alone)) return;
    signature = *alone;
    deaths_.push_back(signature);
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
    if (!options_.stop_on_finding || findings_.new_count() == 0) return true;
    wait_for_reductions();  // it may turn out to be known
    return findings_.new_count() == 0;
  }

  void wait_for_reductions() {
    while (!interrupted() && findings_.work()) {
      show_progress();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

  Summary summary(bool finished) const {
    return {.libtorch = libtorch_,
            .device = device(),
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
  std::deque<Chain> upcoming_{};         // of a worker, as is the next
  std::optional<DeviceAhead> ahead_{};
  std::vector<Signature> deaths_{};  // whose op took a search
  Tally tally_{};
  Progress progress_{};
  const Clock::time_point start_ = Clock::now();
  double next_summary_ = summary_every;
  bool unsynced_ = false;
};

}  // namespace

int command_run(const RunOptions& options) {
  const Knobs knobs = knobs_of(options);
  const Plan plan = plan_of(options.witnesses, options.lanes, options.device);
  const auto corpus = find_corpus(options.corpus);
  check_report_files(options.report);
  const std::uint64_t seed = options.seed ? *options.seed : std::random_device{}();
  Store store(options.out);
  catch_interrupts();
  fmt::print(stderr, "GradSmith {}, LibTorch {}, seed {}\n", version, libtorch_version(), seed);
  if (store.was_interrupted())
    fmt::print(stderr, "the last run here was killed; what it was judging is in {}\n",
               (store.folder() / "slots.interrupted").string());
  const std::span<const DType> types = knobs.mixed ? std::span(floating_types) : std::span(&knobs.dtype, 1);
  return Run(options, plan, knobs, seed, store, learn_known_aloud(corpus, plan, types))();
}

}  // namespace gradsmith
