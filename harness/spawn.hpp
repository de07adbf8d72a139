// Other programs started as processes of our own, which die with us. Knows processes; nothing of what they run.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/process.hpp"

namespace gradsmith {

/// A program to be started.
struct Command {
  std::filesystem::path program{};
  std::vector<std::string> arguments{};
  std::vector<std::pair<std::string, std::string>> environment{};  ///< set beside what is set already
  std::filesystem::path log{};     ///< takes standard output and standard error, appended
  std::filesystem::path folder{};  ///< to run in; empty: this one
};

/// A program under way: be_a_child_of() this process, in a process group of its own.
class Spawned {
 public:
  /// Starts it. A program that cannot be run ends with exit code 127 and a line in its log. EnvironmentError if the log
  /// cannot be written or no process can be made.
  explicit Spawned(const Command& command);
  Spawned(const Spawned&) = delete;
  Spawned& operator=(const Spawned&) = delete;
  /// Kills the process and what it has started, if it still runs.
  ~Spawned();

  pid_t pid() const { return pid_; }
  void signal(int number) const;
  /// How it ended; nothing while it runs. Does not wait.
  std::optional<Ended> poll();

 private:
  pid_t pid_ = -1;
  std::optional<Ended> ended_{};
};

}  // namespace gradsmith
