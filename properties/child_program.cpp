#include "properties/child_program.hpp"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace gradsmith::testing {

namespace {

std::string fresh_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "gradsmith-test-XXXXXX").string();
  if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
  return name;
}

}  // namespace

Program::Program(const std::string& binary, std::vector<std::string> arguments, const std::string& input)
    : files_(fresh_folder()) {
  std::ofstream(files_ + "/in") << input;
  arguments.insert(arguments.begin(), binary);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("no new process");
  if (pid_ > 0) return;
  const std::string names[] = {files_ + "/in", files_ + "/out", files_ + "/err"};
  for (int fd = 0; fd < 3; ++fd)
    ::dup2(::open(names[fd].c_str(), fd == 0 ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC, 0600), fd);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

Program::~Program() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  std::filesystem::remove_all(files_);
}

void Program::signal(int number) const { ::kill(pid_, number); }

std::vector<pid_t> Program::children() const {
  std::istringstream list(content("/proc/" + std::to_string(pid_) + "/task/" + std::to_string(pid_) + "/children"));
  std::vector<pid_t> pids;
  for (pid_t pid; list >> pid;) pids.push_back(pid);
  return pids;
}

Finished Program::wait() {
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  Finished finished;
  if (WIFEXITED(status)) finished.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) finished.signal = WTERMSIG(status);
  finished.out = content(files_ + "/out");
  finished.err = content(files_ + "/err");
  return finished;
}

Finished gradsmith(std::vector<std::string> arguments, const std::string& input) {
  return Program(GRADSMITH_BINARY, std::move(arguments), input).wait();
}

Scratch::Scratch() : path(fresh_folder()) {}
Scratch::~Scratch() { std::filesystem::remove_all(path); }

std::string Scratch::file(const std::string& name, const std::string& text) const {
  std::filesystem::create_directories((path / name).parent_path());
  std::ofstream(path / name, std::ios::binary) << text;
  return (path / name).string();
}

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string body(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    if (!line.starts_with("#") && !line.starts_with("gradsmith ")) out += line.substr(0, line.find("  #")) + "\n";
    at = end + 1;
  }
  return out;
}

}  // namespace gradsmith::testing
