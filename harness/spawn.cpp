#include "harness/spawn.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "harness/exits.hpp"

namespace gradsmith {

Spawned::Spawned(const Command& command) {
  const int log = ::open(command.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (log < 0)
    throw EnvironmentError{fmt::format("{}: cannot be written: {}", command.log.string(), std::strerror(errno))};
  std::vector<std::string> words{command.program.string()};
  words.insert(words.end(), command.arguments.begin(), command.arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) {
    const std::string why = std::strerror(errno);
    ::close(log);
    throw EnvironmentError{fmt::format("no new process: {}", why)};
  }
  if (pid_ > 0) {
    ::setpgid(pid_, pid_);
    ::close(log);
    return;
  }
  ::setpgid(0, 0);
  be_a_child_of(parent);
  ::dup2(::open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
  ::dup2(log, 1);
  ::dup2(log, 2);
  if (!command.folder.empty() && ::chdir(command.folder.c_str()) != 0) {
    std::fprintf(stderr, "%s: %s\n", command.folder.c_str(), std::strerror(errno));
    ::_exit(127);
  }
  for (const auto& [name, value] : command.environment) ::setenv(name.c_str(), value.c_str(), 1);
  ::execv(argv[0], argv.data());
  std::fprintf(stderr, "\n%s: cannot be run: %s\n", argv[0], std::strerror(errno));
  ::_exit(127);
}

Spawned::~Spawned() {
  if (ended_) return;
  ::kill(-pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void Spawned::signal(int number) const {
  if (!ended_) ::kill(pid_, number);
}

std::optional<Ended> Spawned::poll() {
  int status = 0;
  if (!ended_ && ::waitpid(pid_, &status, WNOHANG) == pid_) ended_ = ended_from(status);
  return ended_;
}

}  // namespace gradsmith
