// Write-ahead slots: the chain a worker is about to judge, in a mapped file, so that even a kill -9 of everything
// leaves it on disk as a file that `replay` takes. Knows text, not chains.
#pragma once

#include <filesystem>
#include <string_view>

namespace gradsmith {

/// A mapped text file of fixed size, filled up with newlines. Made before the worker is forked, written by the worker.
class Slot {
 public:
  static constexpr std::size_t capacity = 1u << 16;
  /// Makes the file and reserves its blocks; EnvironmentError if that fails.
  explicit Slot(const std::filesystem::path& file);
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  Slot(Slot&& other) noexcept;
  ~Slot();

  /// Replaces the text; a longer one than the slot holds is replaced by `instead`. Costs a copy, no system call.
  void write(std::string_view text, std::string_view instead);
  /// Overwrites a part of the text that was written; what lies outside it is left alone.
  void patch(std::size_t at, std::string_view text);

 private:
  char* memory_ = nullptr;
  std::size_t used_ = 0;
};

}  // namespace gradsmith
