#include "harness/process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "harness/exits.hpp"
#include "harness/sanitizers.hpp"

namespace gradsmith {

namespace {

constexpr std::uint32_t is_last_words = 1u << 31;  // in a frame's length
constexpr int lost_memory = 86;  // how a process ends that lost memory of ours; told by LeakSanitizer
int parent_fd = -1;

/// Writes the frame with its length in front; the parent being gone ends this process.
void send_frame(int fd, std::string_view frame) {
  const auto length = static_cast<std::uint32_t>(frame.size());
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  bytes += frame;
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t put = ::write(fd, bytes.data() + done, bytes.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) ::_exit(1);
    done += static_cast<std::size_t>(put);
  }
}

[[noreturn]] void be_child(int fd, pid_t parent, const std::function<void(const Child::Send&)>& body) {
  be_a_child_of(parent);
  parent_fd = fd;
  try {
    body([fd](std::string_view frame) { send_frame(fd, frame); });
  } catch (const EnvironmentError& error) {
    last_words(error.message);
    ::_exit(exit_missing);
  }
  if (memory_was_lost()) ::_exit(lost_memory);
  ::_exit(0);  // not exit(): buffers and LibTorch's globals belong to the parent
}

}  // namespace

Ended ended_from(int status) {
  if (WIFSIGNALED(status)) return {.signal = WTERMSIG(status)};
  return {.code = WEXITSTATUS(status)};
}

std::string ended_name(const Ended& ended) {
  if (ended.signal == 0) return fmt::format("exit-{}", ended.code);
  const char* name = ::sigabbrev_np(ended.signal);
  return name ? fmt::format("SIG{}", name) : fmt::format("signal-{}", ended.signal);
}

void last_words(std::string_view words) {
  if (parent_fd < 0) return;
  words = words.substr(0, 4096);
  const std::uint32_t length = static_cast<std::uint32_t>(words.size()) | is_last_words;
  // What cannot be said is not said: the signal that kills the process speaks for itself.
  if (::write(parent_fd, &length, sizeof length) == sizeof length) (void)!::write(parent_fd, words.data(), words.size());
}

bool speaks() { return parent_fd >= 0; }

void be_a_child_of(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);  // the parent died before the line above
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGTERM, SIG_IGN);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
}

Child::Child(const std::function<void(const Send&)>& body) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw EnvironmentError{fmt::format("no pipe: {}", std::strerror(errno))};
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) {
    const std::string why = std::strerror(errno);
    ::close(ends[0]);
    ::close(ends[1]);
    throw EnvironmentError{fmt::format("no new process: {}", why)};
  }
  if (pid_ == 0) {
    ::close(ends[0]);
    be_child(ends[1], parent, body);
  }
  ::close(ends[1]);
  fd_ = ends[0];
  ::fcntl(fd_, F_SETFL, O_NONBLOCK);
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), fd_(std::exchange(other.fd_, -1)), buffer_(std::move(other.buffer_)), words_(std::move(other.words_)) {}

Child& Child::operator=(Child&& other) noexcept {
  if (this != &other) {
    let_go();
    pid_ = std::exchange(other.pid_, -1);
    fd_ = std::exchange(other.fd_, -1);
    buffer_ = std::move(other.buffer_);
    words_ = std::move(other.words_);
  }
  return *this;
}

Child::~Child() { let_go(); }

void Child::let_go() {
  if (pid_ > 0) {
    kill();
    wait();
  }
}

bool Child::receive(const std::function<void(std::string_view)>& take) {
  bool open = true;
  char block[65536];
  for (int turn = 0; turn < 64; ++turn) {  // bounded, so that one talkative process does not starve the others
    const ssize_t got = ::read(fd_, block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      open = got < 0 && errno == EAGAIN;
      break;
    }
    buffer_.append(block, static_cast<std::size_t>(got));
  }
  std::size_t at = 0;
  std::uint32_t length = 0;
  while (buffer_.size() - at >= sizeof length) {
    std::memcpy(&length, buffer_.data() + at, sizeof length);
    const bool last = length & is_last_words;
    length &= ~is_last_words;
    if (buffer_.size() - at - sizeof length < length) break;
    const auto frame = std::string_view(buffer_).substr(at + sizeof length, length);
    if (last)
      words_ = frame;
    else
      take(frame);
    at += sizeof length + length;
  }
  buffer_.erase(0, at);
  return open;
}

void Child::kill() {
  if (pid_ > 0) ::kill(pid_, SIGKILL);
}

void Child::give_up() {
  if (pid_ > 0) ::kill(pid_, SIGQUIT);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  for (bool open = true; open && std::chrono::steady_clock::now() < end;) {
    pollfd ready{fd_, POLLIN, 0};
    ::poll(&ready, 1, 100);
    open = receive([](std::string_view) {});  // an answer that comes now comes too late
  }
  kill();
}

Ended Child::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  ::close(fd_);
  pid_ = -1;
  fd_ = -1;
  buffer_.clear();
  Ended ended = ended_from(status);
  if (has_sanitizers() && ended.code == lost_memory) std::abort();  // a promise of ours; nobody may pass over it
  ended.words = std::exchange(words_, {});
  return ended;
}

Apart apart(const std::function<std::string()>& work, double seconds) {
  using Clock = std::chrono::steady_clock;
  Child child([&](const Child::Send& send) { send(work()); });
  Apart result;
  const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  bool open = true;
  while (open && !result.hung) {
    pollfd ready{child.fd(), POLLIN, 0};
    ::poll(&ready, 1, 100);
    open = child.receive([&](std::string_view frame) { result.answer = std::string(frame); });
    if (open && Clock::now() > end) result.hung = true;
  }
  if (result.hung) child.give_up();
  result.ended = child.wait();
  return result;
}

}  // namespace gradsmith
