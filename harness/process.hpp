// Forked processes that talk to their parent in frames, so that whatever LibTorch does to a process, the parent lives
// on. Knows nothing of chains or LibTorch.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace gradsmith {

/// How a process ended.
struct Ended {
  int signal = 0;  ///< 0: it exited by itself
  int code = 0;
  std::string words{};  ///< its last words; mostly none
  bool clean() const { return signal == 0 && code == 0; }
};
/// From what waitpid() says of a process that has ended.
Ended ended_from(int status);
/// "SIGSEGV", "exit-1": safe inside a file name.
std::string ended_name(const Ended& ended);

/// What the process wants its parent to know of its end, in `Ended::words`. Safe in a signal handler; nothing happens in a
/// process that is no `Child`. At most a page.
void last_words(std::string_view words);
/// Whether this process is a `Child`.
bool speaks();

/// First thing in a forked process: it ignores Ctrl-C and SIGTERM (the parent decides), leaves no core file and dies with
/// its parent, whose id is given.
void be_a_child_of(pid_t parent);

/// A forked process: be_a_child_of() its parent.
class Child {
 public:
  using Send = std::function<void(std::string_view frame)>;
  /// Runs `body` in a new process, which ends cleanly when it returns, and with exit_missing and the message as its last words
  /// if an EnvironmentError comes out of it. EnvironmentError if no process can be made.
  explicit Child(const std::function<void(const Send&)>& body);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  /// Kills the process if it still runs.
  ~Child();

  /// To be polled for reading.
  int fd() const { return fd_; }
  /// Hands over the frames that have come, without waiting. False: the process has closed its end, wait() will not
  /// block for long.
  bool receive(const std::function<void(std::string_view frame)>& take);
  void kill();
  /// Kills a process that has been silent for too long, after a moment for its last words (SIGQUIT).
  void give_up();
  /// Waits for the end; the object is empty afterwards.
  Ended wait();

 private:
  void let_go();
  pid_t pid_ = -1;
  int fd_ = -1;
  std::string buffer_{}, words_{};
};

/// What came of work done in a process of its own.
struct Apart {
  std::optional<std::string> answer{};  ///< absent if the process died or was silent too long
  Ended ended{};
  bool hung = false;
};
/// Runs `work` in a process of its own and waits at most `seconds` for its answer.
Apart apart(const std::function<std::string()>& work, double seconds);

}  // namespace gradsmith
