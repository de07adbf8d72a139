#include "harness/pool.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <vector>

#include "harness/exits.hpp"

namespace gradsmith {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::uint64_t nowhere = ~std::uint64_t{0};
constexpr double patience_after_stop = 5;  // seconds an item may still take once the work was called off

/// Memory that parent and children share.
struct Board {
  std::atomic<bool> stop{false};
};

struct Unmap {
  void operator()(Board* board) const { ::munmap(board, sizeof(Board)); }
};

std::unique_ptr<Board, Unmap> shared_board() {
  void* memory = ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw EnvironmentError{"no shared memory"};
  return std::unique_ptr<Board, Unmap>(new (memory) Board);
}

/// One worker's post: the process that holds it, and what it has still to do.
struct Post {
  std::optional<Child> child{};
  std::uint64_t next = 0;         // first item without an answer
  std::uint64_t tried = nowhere;  // item that was given a second chance
  Clock::time_point heard{};
  bool ready = false;  // the process has begun
  bool hung = false;
  int false_starts = 0;
};

class Pool {
 public:
  explicit Pool(const PoolWork& work) : work_(work), board_(shared_board()), posts_(work.jobs) {}

  void run() {
    for (int k = 0; k < work_.jobs; ++k) {
      posts_[k].next = static_cast<std::uint64_t>(k);
      start(k);
    }
    auto last = Clock::now();
    while (wait_for_news()) {
      const auto now = Clock::now();
      if (now - last > std::chrono::seconds(5))  // this process itself was stopped: nobody else is to blame
        for (Post& post : posts_) post.heard = now;
      last = now;
      if (!board_->stop && !work_.keep_going()) board_->stop = true;
      for (int k = 0; k < work_.jobs; ++k) serve(k, now);
    }
  }

 private:
  void start(int k) {
    Post& post = posts_[k];
    if (post.next >= work_.count || board_->stop) return;
    post.heard = Clock::now();
    post.hung = post.ready = false;
    post.child.emplace([this, k, first = post.next](const Child::Send& send) {
      work_.begin(k);
      send("");
      for (std::uint64_t i = first; i < work_.count && !board_->stop; i += static_cast<std::uint64_t>(work_.jobs))
        send(work_.work(k, i));
    });
  }

  /// Waits for a frame or a tenth of a second; false when no process is left.
  bool wait_for_news() {
    std::vector<pollfd> ready;
    for (const Post& post : posts_)
      if (post.child) ready.push_back({post.child->fd(), POLLIN, 0});
    if (ready.empty()) return false;
    ::poll(ready.data(), ready.size(), 100);
    return true;
  }

  void serve(int k, Clock::time_point now) {
    Post& post = posts_[k];
    if (!post.child) return;
    const bool open = post.child->receive([&](std::string_view answer) {
      post.heard = now;
      if (!post.ready) {
        post.ready = true;
        return;
      }
      post.false_starts = 0;
      const std::uint64_t index = post.next;
      post.next += static_cast<std::uint64_t>(work_.jobs);
      work_.done(index, answer);
    });
    if (!open) {
      const Ended ended = post.child->wait();
      post.child.reset();
      if (!ended.clean()) bury(post, ended);
      start(k);
    } else if (!post.hung && now - post.heard > std::chrono::duration<double>(allowed(post))) {
      post.hung = true;
      post.child->give_up();
    }
  }

  double allowed(const Post& post) const {
    if (!post.ready) return 120;  // starting LibTorch on a busy machine takes its time
    return board_->stop ? std::min(work_.silence, patience_after_stop) : work_.silence;
  }

  /// Reports what a process died of and moves on to the next item.
  void bury(Post& post, const Ended& ended) {
    if (ended.code == exit_missing && !ended.words.empty()) throw EnvironmentError{ended.words};
    if (!post.ready) {
      if (++post.false_starts >= 3)
        throw EnvironmentError{fmt::format("LibTorch does not start: the process ends with {}", ended_name(ended))};
      return;
    }
    if (post.hung && board_->stop) return;  // called off
    if (post.next >= work_.count) return;   // all its items were answered
    if (ended.signal == SIGKILL && !post.hung && post.tried != post.next) {
      post.tried = post.next;  // somebody else's doing, most likely: once more
      return;
    }
    const std::uint64_t index = post.next;
    post.next += static_cast<std::uint64_t>(work_.jobs);
    work_.died(index, {.hang = post.hung, .ended = ended});
  }

  const PoolWork& work_;
  std::unique_ptr<Board, Unmap> board_;
  std::vector<Post> posts_;
};

}  // namespace

void run_pool(const PoolWork& work) { Pool(work).run(); }

}  // namespace gradsmith
