// The two ways a command ends early: the user's input is wrong, or the machine lacks something. Thrown anywhere above
// the judge, turned into a line and an exit code in main.cpp and nowhere else.
#pragma once

#include <string>

namespace gradsmith {

/// Exit codes of every command.
enum ExitCode : int {
  exit_clean = 0,    ///< nothing new; known issues may have shown
  exit_finding = 1,  ///< a new finding, or a replay that differs
  exit_usage = 2,    ///< bad usage or bad input
  exit_missing = 3,  ///< the environment is missing something
};

/// How a worker process ends whose device is lost; its parent takes it for a crash.
inline constexpr int exit_device_lost = 70;

/// Bad usage or bad input; `message` is one line that names the place, the fault and the way out.
struct UsageError {
  std::string message;
};

/// The environment is missing something: a folder that cannot be written, a device, a process that cannot start.
struct EnvironmentError {
  std::string message;
};

}  // namespace gradsmith
