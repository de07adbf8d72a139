// What a campaign tells of itself while it runs: counts, rates, memory, growth. Plain data; the JSON forms are read
// back by `gradsmith status` and by the campaign itself when it goes on after a kill.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gradsmith {

/// What must be the same each time a folder is used: campaign.json.
struct CampaignIdentity {
  int format = 0;  ///< of the folder
  std::string version{}, libtorch{};
  std::uint64_t seed = 0;
};

/// One worker: workers/K/status.json.
struct WorkerStatus {
  int index = 0;
  std::string role{};
  bool running = false;
  std::uint64_t programs = 0;             ///< judged since the campaign began
  double programs_per_second = 0;         ///< lately
  std::uint64_t features = 0, units = 0;  ///< as the engine counts: features seen, units it holds
  double rss_mb = 0, peak_rss_mb = 0;               ///< now; the most that any of its processes had
  std::uint64_t restarts = 0;                       ///< processes started after the first
  std::string last_death{};                         ///< of its latest process that did not end in good order
  double last_new = 0;                              ///< when its features last grew, in seconds of the campaign
  std::map<std::string, std::uint64_t> findings{};  ///< by signature, known ones too
};

/// One moment of a campaign.
struct HistoryPoint {
  double seconds = 0;
  std::uint64_t programs = 0;
  std::uint64_t features = 0;  ///< most of any worker
  std::uint64_t units = 0;     ///< in the merged corpus
  std::uint64_t findings_new = 0, findings_known = 0;
  double rss_mb = 0;                              ///< most of any worker
  std::vector<std::uint64_t> rss_of_workers_mb{};  ///< of each, in whole MiB
};
/// So many of these points at most, evenly spread, the first and the last among them.
std::vector<HistoryPoint> thinned(const std::vector<HistoryPoint>& points, std::size_t most);

/// The whole: status.json.
struct CampaignStatus {
  std::string state{};                                  ///< "running", "stopped", "finished"
  double seconds = 0;                                   ///< spent, over all processes
  double limit = 0;                                     ///< of `seconds`; 0: none
  std::uint64_t workers = 0, merges = 0, unmerged = 0;  ///< unmerged: units written since the last merge
  double disk_mb = 0;                                   ///< what the folder takes
  HistoryPoint now{};
  std::vector<HistoryPoint> history{};            ///< evenly spread, at most history_length
  std::map<std::string, std::uint64_t> deaths{};  ///< of workers, by signature: crashes, hangs
  static constexpr std::size_t history_length = 400;
  /// Adds a point; every second one of the old goes when there are too many.
  void remember(const HistoryPoint& point);
};

std::string as_json(const CampaignIdentity& identity);
std::string as_json(const WorkerStatus& status);
std::string as_json(const CampaignStatus& status);
/// The value in a JSON text, or nothing: not JSON, a type that does not fit. Keys that are missing keep their default,
/// but an identity has its seed.
std::optional<CampaignIdentity> read_identity(std::string_view json);
std::optional<WorkerStatus> read_worker_status(std::string_view json);
std::optional<CampaignStatus> read_campaign_status(std::string_view json);
/// One JSON object that holds the status and those of the workers.
std::string as_json(const CampaignStatus& status, const std::vector<WorkerStatus>& workers);

}  // namespace gradsmith
