// What one judged chain adds to a run's counts, as it travels from a worker to the parent, and the counts themselves.
// Pure data and pure functions; knows verdicts, not how they came about.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/judge.hpp"

namespace gradsmith {

/// How often an op took part, by its position in all_ops().
struct OpUse {
  std::uint64_t out_of_place = 0, in_place = 0;
  bool operator==(const OpUse&) const = default;
};

/// What a worker says of one chain.
struct CaseReport {
  Status status = Status::discard;
  bool raised = false;   ///< LibTorch refused the chain
  std::string reason{};  ///< of a discard or an inconclusive verdict
  std::array<Opinion, witness_count> opinions{Opinion::skipped, Opinion::skipped, Opinion::skipped, Opinion::skipped, Opinion::skipped, Opinion::skipped};
  std::array<std::string, witness_count> reasons{};  ///< why a witness was inconclusive or skipped
  std::vector<std::uint32_t> uses{};   ///< per step: position in all_ops() times 2, plus 1 for the in-place form
  Signature signature{};               ///< of a finding
  std::string headline{}, evidence{};  ///< of a finding (evidence.hpp)
  std::string record{};                ///< the JSON line to keep, or empty
};

/// The report of a judged chain, without headline, evidence and record.
CaseReport case_report(const Chain& chain, const Verdict& verdict);
/// Bytes for the pipe or a file, and back; nothing if the bytes are not what `encode` gave.
std::string encode(const CaseReport& report);
std::optional<CaseReport> decode(std::string_view bytes);

using Reasons = std::map<std::string, std::uint64_t>;

/// The counts of a run. They do not depend on the order in which reports are added.
struct Tally {
  struct OfWitness {
    std::uint64_t agree = 0, disagree = 0;
    Reasons inconclusive{}, skipped{};
    bool operator==(const OfWitness&) const = default;
  };
  std::uint64_t programs = 0;  ///< judged, discards and crashes included
  std::uint64_t accepted = 0;  ///< LibTorch ran them to the end
  std::uint64_t refused = 0;   ///< LibTorch raised
  std::uint64_t agreed_raise = 0, known_hole = 0;
  Reasons inconclusive{}, discarded{};
  std::array<OfWitness, witness_count> witnesses{};
  std::vector<OpUse> ops{};
  void add(const CaseReport& report);
  /// Adds the counts of another process.
  void add(const Tally& other);
  bool operator==(const Tally&) const = default;
};
/// Bytes for a file, and back; nothing if the bytes are not what `encode` gave for this op table.
std::string encode(const Tally& tally);
std::optional<Tally> decode_tally(std::string_view bytes);

}  // namespace gradsmith
