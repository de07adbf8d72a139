// Counts what LibTorch allocates on the CPU, byte for byte, and reads the clock, for one run of a chain at a time.
// Allocators tell it of every block. Its header knows no LibTorch.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "harness/cost.hpp"

namespace gradsmith {

/// For allocators: a block was handed out. Gives the mark by which `count_out` knows it again.
std::uint64_t count_in(std::size_t bytes);
/// For allocators: a block is given back.
void count_out(std::size_t bytes, std::uint64_t mark);

/// Storage that this thread has allocated since it opened its window and not yet freed. What was allocated before does not
/// count, nor does its being freed.
struct MemoryReading {
  std::int64_t live = 0;
  std::int64_t peak = 0;         ///< most of `live` since the last mark
  std::int64_t bytes = 0;        ///< of all blocks since the window was opened, freed or not
  std::int64_t allocations = 0;  ///< their number
};
void open_memory_window();
MemoryReading read_memory();
/// The same, and the peak starts again from here.
MemoryReading mark_memory();

/// Meters one run into a `Cost`. Opens a window of its own: one run at a time in a thread.
class Meter {
 public:
  Meter(Cost& cost, std::size_t statements);
  /// Around each step; not called after one that was refused.
  void before_step() {
    before_ = mark_memory();
    peak_ = std::max(peak_, before_.peak);
    start_ = Clock::now();
  }
  /// `measured`: the step's own cost is of interest, not only the chain's.
  void after_step(std::size_t statement, bool measured = true);
  /// Around each backward.
  void before_backward() { start_ = Clock::now(); }
  void after_backward() { cost_.backward_nanoseconds += since(start_); }
  /// Where forward ends: before the cotangents of the first backward, or at the end of the chain; later calls do nothing.
  /// `named` gives the bytes of all storages that names of the chain hold.
  template <class Named>
  void forward_ends(const Named& named) {
    if (forward_ended_) return;
    forward_ended_ = true;
    cost_.live = read_memory().live;
    cost_.saved = cost_.live - named();
  }
  /// At the end of the run, before its tensors go.
  void close();

 private:
  using Clock = std::chrono::steady_clock;
  static std::int64_t since(Clock::time_point start) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count();
  }
  Cost& cost_;
  MemoryReading before_{};
  Clock::time_point start_{};
  std::int64_t peak_ = 0;
  bool forward_ended_ = false;
};

}  // namespace gradsmith
