// The folder of one fuzz worker, through which it and the supervisor talk: file names, their formats, who writes what.
// Whatever is in it is whole at any moment. Knows counts and chains as text; nothing of processes or engines.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/slot.hpp"
#include "harness/tally.hpp"

namespace gradsmith {

/// What a worker has counted since the campaign began, earlier processes of its included.
struct WorkerCount {
  Tally tally{};
  std::map<std::string, std::uint64_t> findings{};  ///< by signature, known ones too
  bool operator==(const WorkerCount&) const = default;
};

/// A finding as a worker writes it down at its first sight.
struct FoundReport {
  std::string chain{};  ///< the chain's text
  CaseReport report{};
};

/// What a worker is at, read from its slot.
struct InFlight {
  std::uint64_t input = 0;  ///< the how manieth of its process
  std::string phase{};      ///< "idle" between inputs; "parse", then what Plan::entering tells
  std::string text{};       ///< a chain file that says the same in a comment; in phase "parse" maybe foreign bytes
  bool busy() const { return phase != "idle"; }
};

/// Writes a slot, in an order that lets a kill at any moment leave the truth: a chain's text is there before its phase.
class SlotWriter {
 public:
  explicit SlotWriter(const std::filesystem::path& file) : slot_(file) {}
  /// A new input, as it came.
  void begin(std::string_view bytes);
  /// It is this chain.
  void chain(std::string_view canonical);
  void enter(std::string_view phase);
  void end() { enter("idle"); }

 private:
  Slot slot_;
  std::uint64_t input_ = 0;
};
/// What the slot says; nothing if there is none or it was never written.
std::optional<InFlight> read_slot(const std::filesystem::path& file);
/// Only input and phase, for a look every second; `text` stays empty.
std::optional<InFlight> glance_at_slot(const std::filesystem::path& file);

/// The folder's layout.
struct WorkerFolder {
  std::filesystem::path path{};
  std::filesystem::path corpus() const { return path / "corpus"; }       ///< units; written by the worker alone
  std::filesystem::path slot() const { return path / "slot.chain"; }     ///< by the worker
  std::filesystem::path count() const { return path / "count"; }         ///< by the worker, every few seconds
  std::filesystem::path found() const { return path / "found"; }         ///< one file per signature, by either
  std::filesystem::path deaths() const { return path / "deaths"; }       ///< chains it died over, by the supervisor
  std::filesystem::path log() const { return path / "log"; }             ///< what the engine says
  std::filesystem::path status() const { return path / "status.json"; }  ///< by the supervisor

  /// Makes what is missing; EnvironmentError if that fails.
  void make() const;
  void write_count(const WorkerCount& count) const;
  /// A count that is missing or of another release is empty.
  WorkerCount read_count() const;
  /// Writes a report under its signature unless there is one.
  void write_found(const FoundReport& found) const;
  /// Signatures with a report, sorted.
  std::vector<std::string> found_signatures() const;
  /// The report of one of them; nothing if the file is no report.
  std::optional<FoundReport> read_found(const std::string& signature) const;
};

/// The workers' folders of a campaign, in order: those that exist, and at least so many.
std::vector<WorkerFolder> worker_folders(const std::filesystem::path& campaign, int at_least = 0);

}  // namespace gradsmith
