// The output folder of a run: records, findings, summary, slots. Whatever is in it is whole at any moment.
// Knows file names, nothing of how a run goes.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/slot.hpp"

namespace gradsmith {

/// The folder `--out`.
class Store {
 public:
  /// Opens or makes the folder. Slots that a killed run left behind move to slots.interrupted. EnvironmentError if the
  /// folder cannot be written.
  explicit Store(std::filesystem::path folder);
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  ~Store();

  /// Appends a line to records.jsonl; it is on disk after the next sync().
  void append(std::string_view record);
  /// Brings what was appended to the disk.
  void sync();
  /// One file of findings/SIGNATURE/; returns its path relative to the folder.
  std::string write_finding(const std::string& signature, const std::string& name, std::string_view text);
  /// Text of one of those files; nothing if there is none.
  std::optional<std::string> read_finding(const std::string& signature, const std::string& name) const;
  void write_summary(std::string_view json);
  /// One slot per worker, slots/worker-K.chain.
  std::vector<Slot> make_slots(int workers);
  /// Takes the slots away at the end of a run.
  void remove_slots();

  const std::filesystem::path& folder() const { return folder_; }
  /// True if a killed run had left its slots here.
  bool was_interrupted() const { return was_interrupted_; }

 private:
  std::filesystem::path folder_;
  int records_ = -1;
  bool dirty_ = false, was_interrupted_ = false;
};

}  // namespace gradsmith
