// One chain in, one verdict out: what the command line, the properties and the fuzz target all call.
// Knows the witnesses and the executor's interface; nothing below it knows who asked.
#pragma once

#include <array>
#include <optional>

#include "harness/outcome.hpp"
#include "harness/witness.hpp"

namespace gradsmith {

class Reached;

/// What to check.
struct Plan {
  std::array<bool, witness_count> witnesses{true, true, true, true};
  bool guilt = true;              ///< on a finding, look for the guilty op (costs a few more runs)
  Reached* coverage = nullptr;    ///< also note what the chain reaches; changes no verdict
};

/// What "the same bug" means. Two findings of one signature are one finding.
struct Signature {
  FindingKind kind = FindingKind::none;
  std::string guilty{};     ///< op at fault in its form ("hardsigmoid", "add_"), "+"-joined if several; "" if unknown
  std::string detail{};     ///< error ids ("E5 backward"), or the magnitude class ("small") of a numeric departure
  std::string dtype = "f64", device = "cpu";
  bool operator==(const Signature&) const = default;
  /// "wrong-gradient.hardsigmoid.small.f64.cpu": safe as a folder name.
  std::string text() const;
};

/// Everything known of one judged chain.
struct Verdict {
  Status status = Status::discard;
  std::string reason{};                    ///< of a discard or an inconclusive verdict
  std::vector<Testimony> testimonies{};    ///< in the order asked
  Expectation expectation{};
  Outcome outcome{};
  Signature signature{};                   ///< of a finding
};

/// Judges a valid chain (parse.hpp or the generator made it). Never throws: what LibTorch does is data.
/// Deterministic: equal chains get equal verdicts.
Verdict judge(const Chain& chain, const Plan& plan = {});

/// Once per process, before the first judge: one intra-op thread, empty stack-trace fetcher, pinned switches.
void initialize_libtorch();

}  // namespace gradsmith
