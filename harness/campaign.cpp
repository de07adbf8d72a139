#include "harness/campaign.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <thread>

#include "harness/burial.hpp"
#include "harness/campaign_status.hpp"
#include "harness/environment.hpp"
#include "harness/exits.hpp"
#include "harness/files.hpp"
#include "harness/findings.hpp"
#include "harness/interrupt.hpp"
#include "harness/merge.hpp"
#include "harness/parse.hpp"
#include "harness/progress.hpp"
#include "harness/summary_words.hpp"
#include "harness/version.hpp"
#include "harness/worker_post.hpp"

namespace gradsmith {

namespace fs = std::filesystem;

namespace {

using Clock = std::chrono::steady_clock;
constexpr double look_every = 1, status_every = 5, summary_every = 10;  // seconds
constexpr double history_every = 30;
constexpr std::size_t moments_told = 24;  // in the summary
constexpr double goodbye = 7;  // seconds for workers to end in good order
constexpr double merge_soonest = 30,
                 merge_latest = 600;              // seconds between merges: a tenth of the campaign, within these
constexpr std::uint64_t most_unmerged = 20'000;   // units; then a merge comes early
constexpr std::uintmax_t least_free = 64u << 20;  // bytes left on the disk

double disk_mb(const fs::path& folder) {
  std::uintmax_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::error_code gone;
    const auto size = at->is_regular_file(gone) ? at->file_size(gone) : 0;
    if (!gone) bytes += size;
  }
  return static_cast<double>(bytes) / (1 << 20);
}

/// What an earlier process left; the corpus and the findings do not depend on it.
CampaignStatus status_of(const fs::path& folder) {
  const fs::path file = folder / "status.json";
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return {};
  const auto status = read_campaign_status(read_whole(file.string()));
  if (!status) fmt::print(stderr, "{}: not whole; the time spent before counts as none\n", file.string());
  return status.value_or(CampaignStatus{});
}

class Campaign {
 public:
  Campaign(const CampaignSettings& settings, KnownTable known)
      : settings_(settings),
        store_(settings.folder),
        folders_(worker_folders(settings.folder, settings.workers)),
        status_(status_of(settings.folder)),
        before_(status_.seconds),
        worker_settings_{.program = settings.program,
                         .sanitized = settings.sanitized,
                         .campaign = settings.folder,
                         .seeds = settings.seeds,
                         .seed = settings.seed,
                         .silence = settings.patience},
        burial_({.workers = folders_,
                 .merged = merged(),
                 .tell = [this](const std::string& line) { tell(line + "\n"); },
                 .patience = settings.patience,
                 .counts = status_.deaths}),
        findings_(
            store_, std::move(known),
            {.reductions_at_once = std::max(1, settings.workers / 4),
             .versions = fmt::format("GradSmith {}, LibTorch {} ({})", version, libtorch_version(), cpu_capability()),
             .announce = [this](const std::string& block) { tell(block); }}) {
    make_folder(merged());
    for (std::size_t k = 0; k < folders_.size(); ++k) {
      if (static_cast<int>(k) < settings.workers)
        posts_.push_back(std::make_unique<WorkerPost>(worker_settings_, static_cast<int>(k)));
      for (const std::string& signature : folders_[k].found_signatures()) take_up(k, signature, true);
    }
    status_.workers = posts_.size();
    status_.limit = settings.seconds.value_or(0);
  }

  int operator()() {
    status_.state = "running";
    while (!over()) {
      turn();
      for (std::size_t k = 0; k < posts_.size(); ++k)
        if (!posts_[k]->running()) posts_[k]->start(role_at(settings_.roles, k, posts_.size(), status_.merges));
      merge_now_and_then();
    }
    end_workers();
    if (!interrupted()) finish_quietly();
    findings_.stop();
    look();
    findings_.finish();
    status_.state = interrupted() ? "stopped" : "finished";
    write_status();
    const Summary last = summary(!interrupted());
    store_.write_summary(summary_json(last));
    progress_.clear();
    fmt::print("{}", summary_words(last, interrupted(), store_.folder()));
    std::fflush(stdout);
    return findings_.new_count() > 0 ? exit_finding : exit_clean;
  }

 private:
  fs::path merged() const { return settings_.folder / "corpus"; }
  std::vector<fs::path> corpora() const {
    std::vector<fs::path> all;
    for (const WorkerFolder& folder : folders_) all.push_back(folder.corpus());
    return all;
  }
  double here() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }
  double age() const { return before_ + here(); }
  bool over() const { return interrupted() || (settings_.seconds && age() >= *settings_.seconds); }

  /// Whether something that is done every so often is due; then its time is set anew.
  bool due(double& next, double every) const {
    if (here() < next) return false;
    next = here() + every;
    return true;
  }

  /// What has to be done all the time, workers or not.
  void turn() {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    const auto now = Clock::now();
    const bool stood_still = now - turned_ > std::chrono::seconds(5);
    turned_ = now;
    for (auto& post : posts_) {
      if (stood_still) post->forgive();
      if (const auto death = post->poll()) burial_.take(post->status().index, post->status().restarts, *death);
    }
    burial_.work();
    findings_.work();
    if (due(next_look_, look_every)) look();
    if (due(next_status_, status_every)) write_status();
    if (due(next_summary_, summary_every)) store_.write_summary(summary_json(summary(false)));
    show_progress();
  }

  /// Takes up the findings that were reported since the last look, and the counts.
  void look() {
    std::map<std::string, std::uint64_t> counts = burial_.counts();
    tally_ = {};
    for (std::size_t k = 0; k < folders_.size(); ++k) {
      for (const std::string& signature : folders_[k].found_signatures()) take_up(k, signature, false);
      const WorkerCount count = folders_[k].read_count();
      tally_.add(count.tally);
      for (const auto& [signature, times] : count.findings) counts[signature] += times;
    }
    findings_.recount(counts);
    store_.sync();
  }

  void take_up(std::size_t worker, const std::string& signature, bool earlier) {
    if (!taken_.insert({worker, signature}).second) return;
    const auto found = folders_[worker].read_found(signature);
    if (!found) return;
    const auto parsed = parse(found->chain);
    if (!std::holds_alternative<Chain>(parsed)) return;
    const Chain& chain = std::get<Chain>(parsed);
    const Origin origin{worker, fmt::format("worker {} of a campaign with seed {}", worker, settings_.seed)};
    const CaseReport& report = found->report;
    const bool stored = findings_.is_known(signature) || store_.read_finding(signature, "case.chain");
    if (earlier && stored) return findings_.resume(report.signature, origin, chain, report.headline, report.evidence);
    store_.append(report.record);
    findings_.add(
        report.signature, origin, [&] { return chain; }, report.headline, report.evidence);
  }

  void merge_now_and_then() {
    if (merge_) {
      if (const auto good = merge_->poll()) end_merge(*good);
      return;
    }
    const double period = std::clamp(settings_.seconds.value_or(merge_latest * 10) / 10, merge_soonest, merge_latest);
    if (here() < last_merge_ + period && status_.unmerged < most_unmerged) return;
    start_merge();
  }

  void start_merge() {
    std::vector<fs::path> sources = corpora();
    sources.push_back(merged());
    last_merge_ = here();
    merge_ = std::make_unique<Merge>(settings_.program, settings_.folder / "merge", settled_units(sources));
  }

  /// Workers start again from what was merged: so they get each other's units.
  void end_merge(bool good) {
    if (good) {
      merge_->put_in_place(merged(), corpora());
      ++status_.merges;
      for (auto& post : posts_) post->ask_to_stop();
    } else {
      tell(fmt::format("a merge went wrong; nothing was changed; its log is {}\n", merge_->log().string()));
    }
    merge_.reset();
    last_merge_ = here();
  }

  void end_workers() {
    merge_.reset();
    const auto running = [this] {
      return std::any_of(posts_.begin(), posts_.end(), [](auto& post) { return post->running(); });
    };
    for (auto& post : posts_) post->ask_to_stop();
    const double patience = here() + goodbye;
    while (running() && here() < patience) turn();
    for (auto& post : posts_) post->kill();
    while (running()) turn();
  }

  /// The time is over: what was found is confirmed and reduced, and the corpora are merged a last time.
  void finish_quietly() {
    start_merge();
    while (!interrupted()) {
      turn();
      if (merge_)
        if (const auto good = merge_->poll()) end_merge(*good);
      if (merge_ || burial_.work()) continue;
      look();
      if (!findings_.work()) break;
    }
    merge_.reset();
  }

  void write_status() {
    double most_rss = 0;
    std::vector<std::uint64_t> rss;
    std::uint64_t most_features = 0;
    status_.unmerged = 0;
    for (auto& post : posts_) {
      post->update_status(age());
      most_rss = std::max(most_rss, post->status().rss_mb);
      rss.push_back(static_cast<std::uint64_t>(post->status().rss_mb));
      most_features = std::max(most_features, post->status().features);
    }
    for (const WorkerFolder& folder : folders_) status_.unmerged += files_in(folder.corpus()).size();
    status_.seconds = age();
    status_.deaths = burial_.counts();
    status_.now = {.seconds = age(),
                   .programs = tally_.programs,
                   .features = most_features,
                   .units = files_in(merged()).size(),
                   .findings_new = findings_.new_count(),
                   .findings_known = findings_.known_count(),
                   .rss_mb = most_rss,
                   .rss_of_workers_mb = rss};
    if (due(next_history_, history_every)) {
      status_.remember(status_.now);
      status_.disk_mb = disk_mb(settings_.folder);
    }
    write_atomically(settings_.folder / "status.json", as_json(status_));
    std::error_code error;
    const auto space = fs::space(settings_.folder, error);
    if (!error && space.available < least_free)
      throw EnvironmentError{
          fmt::format("{}: only {} MiB left on the disk, a campaign needs {}; it goes on by the same command",
                      settings_.folder.string(), space.available >> 20, least_free >> 20)};
  }

  Summary summary(bool finished) const {
    return {.libtorch = libtorch_version(),
            .seed = settings_.seed,
            .seconds = age(),
            .finished = finished,
            .tally = tally_,
            .findings = findings_.entries(),
            .now_passing = findings_.now_passing(),
            .course = course()};
  }

  /// A few moments so far, now among them.
  std::vector<HistoryPoint> course() const {
    std::vector<HistoryPoint> points = thinned(status_.history, moments_told - 1);
    points.push_back(status_.now);
    return points;
  }

  void show_progress() {
    if (!progress_.due(here())) return;
    double rate = 0;
    for (const auto& post : posts_) rate += post->status().programs_per_second;
    std::string line = progress_words(tally_, rate, findings_.new_count(), findings_.known_count()) +
                       fmt::format("  corpus {} + {}", status_.now.units, status_.unmerged);
    if (settings_.seconds && *settings_.seconds > age())
      line += fmt::format("  left {:.0f} s", *settings_.seconds - age());
    progress_.show(here(), line);
  }

  void tell(const std::string& block) {
    progress_.clear();
    fmt::print("{}", block);
    std::fflush(stdout);
  }

  const CampaignSettings& settings_;
  Store store_;
  const std::vector<WorkerFolder> folders_;
  CampaignStatus status_;
  const double before_;  // seconds that earlier processes spent
  const WorkerSettings worker_settings_;
  Progress progress_{};
  Burial burial_;
  Findings findings_;
  Tally tally_{};
  std::set<std::pair<std::size_t, std::string>> taken_{};  // reports, by worker and signature
  std::vector<std::unique_ptr<WorkerPost>> posts_{};
  std::unique_ptr<Merge> merge_{};
  const Clock::time_point start_ = Clock::now();
  Clock::time_point turned_ = Clock::now();
  double next_look_ = 0, next_status_ = 0, next_summary_ = summary_every, next_history_ = 0, last_merge_ = 0;
};

}  // namespace

int run_campaign(const CampaignSettings& settings, KnownTable known) { return Campaign(settings, std::move(known))(); }

}  // namespace gradsmith
