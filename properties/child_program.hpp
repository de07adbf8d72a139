// A program run as a child process, with everything it says: how the tool is tested from outside.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace gradsmith::testing {

/// What a finished program left.
struct Finished {
  int code = -1;  ///< exit code; -1 if a signal ended it
  int signal = 0;
  std::string out{}, err{};
};

/// A program under way. Its output goes to files, so that it never waits for a reader.
class Program {
 public:
  Program(const std::string& binary, std::vector<std::string> arguments, const std::string& input = "");
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program();
  void signal(int number) const;
  /// Process ids of its children.
  std::vector<pid_t> children() const;
  Finished wait();

 private:
  pid_t pid_ = -1;
  std::string files_;
};

/// Runs `gradsmith` to its end.
Finished gradsmith(std::vector<std::string> arguments, const std::string& input = "");

/// A folder that goes away with the test.
struct Scratch {
  std::filesystem::path path;
  Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch();
  std::string operator/(const std::string& name) const { return (path / name).string(); }
  /// Writes a file and returns its path.
  std::string file(const std::string& name, const std::string& text) const;
};

/// Content of a file, "" if there is none.
std::string content(const std::string& path);

/// A stored chain's text without its header and its remarks.
std::string body(const std::string& text);

}  // namespace gradsmith::testing
