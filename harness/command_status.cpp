// `gradsmith status`: what a campaign's folder says of itself, on one screen.
#include <fmt/format.h>

#include <algorithm>

#include "harness/campaign.hpp"
#include "harness/campaign_status.hpp"
#include "harness/commands.hpp"
#include "harness/exits.hpp"
#include "harness/files.hpp"
#include "harness/progress.hpp"
#include "harness/worker_folder.hpp"

namespace gradsmith {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t many_units = 5000;  // the engine slows down beyond some thousands

std::string duration(double seconds) {
  const auto whole = static_cast<std::uint64_t>(seconds);
  if (whole < 120) return fmt::format("{} s", whole);
  if (whole < 7200) return fmt::format("{} min", whole / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

/// A number's course in some fifty columns, lowest to highest.
template <class Number>
std::string curve(const std::vector<HistoryPoint>& history, Number HistoryPoint::*of) {
  static constexpr const char* levels[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  constexpr std::size_t columns = 50;
  if (history.size() < 2) return {};
  Number low = history.front().*of, high = low;
  for (const HistoryPoint& point : history) {
    low = std::min(low, point.*of);
    high = std::max(high, point.*of);
  }
  std::string line;
  const std::size_t wide = std::min(columns, history.size());
  for (std::size_t i = 0; i < wide; ++i) {
    const Number value = history[i * (history.size() - 1) / (wide - 1)].*of;
    line += levels[high == low ? 0 : static_cast<std::size_t>((value - low) * 7 / (high - low))];
  }
  return line;
}

/// How much a number grew in the last tenth of the campaign.
std::string growth(const CampaignStatus& status, std::uint64_t HistoryPoint::*of) {
  const auto then = std::find_if(status.history.begin(), status.history.end(),
                                 [&](const HistoryPoint& point) { return point.seconds >= status.seconds * 0.9; });
  if (then == status.history.end() || status.history.size() < 10) return {};
  const std::uint64_t now = status.now.*of, before = (*then).*of;
  return fmt::format("  {:+d} in the last tenth", static_cast<std::int64_t>(now) - static_cast<std::int64_t>(before));
}

std::string screen(const fs::path& folder, const CampaignStatus& status, const std::vector<WorkerStatus>& workers,
                   bool runs) {
  double rate = 0;
  std::uint64_t restarts = 0;
  double last_new = 0, peak = 0;
  for (const WorkerStatus& worker : workers) {
    peak = std::max(peak, worker.peak_rss_mb);
    if (runs && worker.running) rate += worker.programs_per_second;
    restarts += worker.restarts;
    last_new = std::max(last_new, worker.last_new);
  }
  std::string out = fmt::format("{}: {}, {}{}, {} worker{}\n", folder.string(),
                                runs                        ? "running"
                                : status.state == "running" ? "killed"
                                                            : status.state,
                                duration(status.seconds), status.limit > 0 ? " of " + duration(status.limit) : "",
                                status.workers, status.workers == 1 ? "" : "s");
  out += fmt::format("programs   {} ({}/s now, {}/s on average)\n", with_commas(status.now.programs),
                     with_commas(static_cast<std::uint64_t>(rate)),
                     with_commas(static_cast<std::uint64_t>(static_cast<double>(status.now.programs) /
                                                            std::max(status.seconds, 1.0))));
  out += fmt::format("features   {}{}  last new {} ago\n           {}\n", with_commas(status.now.features),
                     growth(status, &HistoryPoint::features), duration(std::max(0.0, status.seconds - last_new)),
                     curve(status.history, &HistoryPoint::features));
  out += fmt::format("corpus     {} units{}, {} since the last of {} merge{}{}\n", with_commas(status.now.units),
                     growth(status, &HistoryPoint::units), with_commas(status.unmerged), status.merges,
                     status.merges == 1 ? "" : "s",
                     status.now.units > many_units ? "; more than is good for the rate" : "");
  out += fmt::format("findings   {} new, {} known{}\n", status.now.findings_new, status.now.findings_known,
                     status.now.findings_new ? "; see " + (folder / "findings").string() : "");
  out += fmt::format("memory     {:.0f} MiB in the largest worker, {:.0f} at most\n           {}\n", status.now.rss_mb,
                     peak, curve(status.history, &HistoryPoint::rss_mb));
  out += fmt::format("resources  {:.0f} MiB on disk, {} restarts\n", status.disk_mb, restarts);
  out += fmt::format("\n{:>3} {:<11} {:>12} {:>9} {:>9} {:>7} {:>6} {:>7} {:>8}  {}\n", "", "lane", "programs", "per s",
                     "features", "units", "MiB", "at most", "restarts", "last death");
  for (const WorkerStatus& worker : workers)
    out +=
        fmt::format("{:>3} {:<11} {:>12} {:>9.0f} {:>9} {:>7} {:>6.0f} {:>7.0f} {:>8}  {}\n", worker.index, worker.role,
                    with_commas(worker.programs), worker.programs_per_second, with_commas(worker.features),
                    with_commas(worker.units), worker.rss_mb, worker.peak_rss_mb, worker.restarts, worker.last_death);
  for (const auto& [signature, count] : status.deaths)
    out += fmt::format("    {} {} time{}\n", signature, count, count == 1 ? "" : "s");
  return out;
}

}  // namespace

int command_status(const StatusOptions& options) {
  const fs::path folder = options.folder;
  std::error_code ignored;
  if (!is_there(folder / "campaign.json"))
    throw UsageError{fmt::format("{}: not a campaign's folder (no campaign.json)", options.folder)};
  CampaignStatus status;
  if (fs::exists(folder / "status.json", ignored)) {
    const auto read = read_campaign_status(read_whole((folder / "status.json").string()));
    if (!read) throw UsageError{fmt::format("{}: not a campaign's status", (folder / "status.json").string())};
    status = *read;
  }
  std::vector<WorkerStatus> workers;
  for (const WorkerFolder& worker : worker_folders(folder))
    if (fs::is_regular_file(worker.status(), ignored))
      if (const auto read = read_worker_status(read_whole(worker.status().string()))) workers.push_back(*read);
  if (options.json)
    fmt::print("{}", as_json(status, workers));
  else
    fmt::print("{}", screen(folder, status, workers, CampaignLock::is_held(folder)));
  return exit_clean;
}

}  // namespace gradsmith
