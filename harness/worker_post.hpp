// One worker's post: the process that holds it, watched from outside, and restarted by whoever asks. Knows the engine's
// flags, the worker's folder and its log; nothing of findings.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/campaign_status.hpp"
#include "harness/roles.hpp"
#include "harness/spawn.hpp"
#include "harness/worker_folder.hpp"

namespace gradsmith {

/// What all workers of a campaign have in common.
struct WorkerSettings {
  std::filesystem::path program{};             ///< chain_fuzzer
  std::filesystem::path sanitized{};           ///< the same with sanitizers; empty: there is none
  std::filesystem::path campaign{};            ///< the campaign's folder
  std::vector<std::filesystem::path> seeds{};  ///< folders of stored chains
  std::uint64_t seed = 0;
  double silence = 20;  ///< seconds one input may take
};

/// How a process ended that should not have.
struct PostDeath {
  std::string how{};             ///< "SIGSEGV", "hang", "exit-71", "heap-buffer-overflow"
  std::optional<InFlight> at{};  ///< what it was at; nothing if it was between inputs
  std::string report{};          ///< what a sanitizer said
};

class WorkerPost {
 public:
  static constexpr int max_len = 4096;  ///< bytes of a unit
  WorkerPost(const WorkerSettings& settings, int index);

  /// Starts the next process in this role; its seed is a function of the campaign's, the index and the number of
  /// restarts.
  void start(const Role& role);
  bool running() const { return process_ != nullptr; }
  /// Asks the process to end in good order.
  void ask_to_stop();
  void kill();
  /// Looks after the process: its hangs, its end. A death is returned once. EnvironmentError if the process itself
  /// found that something is missing, or does not come up time and again.
  std::optional<PostDeath> poll();
  /// The clock of this process itself stood still: nobody is to blame for silence.
  void forgive();
  /// Reads counts, log and memory, and bounds the log; `seconds` is the campaign's age.
  void update_status(double seconds);

  const WorkerFolder& folder() const { return folder_; }
  const WorkerStatus& status() const { return status_; }
  const WorkerCount& count() const { return count_; }

 private:
  using Clock = std::chrono::steady_clock;
  void watch();
  std::string last_words() const;
  /// Bytes that this process has written into its log, of those that are looked at.
  std::size_t log_since_start() const;
  const WorkerSettings& settings_;
  WorkerFolder folder_;
  std::unique_ptr<Spawned> process_{};
  WorkerStatus status_{};
  WorkerCount count_{};
  std::uintmax_t log_before_ = 0;  // bytes in the log that earlier processes wrote
  bool started_before_ = false, hung_ = false, killed_ = false;
  int false_starts_ = 0;
  Clock::time_point started_{}, heard_{}, glanced_{}, updated_{};
  std::uint64_t input_ = 0, programs_then_ = 0;
};

}  // namespace gradsmith
