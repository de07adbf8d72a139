// One chain in, one verdict out: what the command line, the properties and the fuzz target all call.
// Knows the witnesses and the executor's interface; nothing below it knows who asked.
#pragma once

#include <array>
#include <functional>
#include <optional>

#include "harness/deltas.hpp"
#include "harness/lane.hpp"
#include "harness/outcome.hpp"
#include "harness/witness.hpp"

namespace gradsmith {

class Reached;

/// Executions that tell whether results change from run to run, where that is the question.
inline constexpr int many_executions = 20;

/// What to check.
struct Plan {
  std::array<bool, witness_count> witnesses = of_reverse_mode();
  bool guilt = true;              ///< on a finding, look for the guilty op (costs a few more runs)
  int executions = 1;             ///< runs that must come out alike for a verdict other than a finding
  LaneSet lanes{};                  ///< besides the witnesses
  std::string device{};             ///< of the witness `device`, whose libraries are loaded; empty: it is not asked
  /// Told what comes next, before it begins: "expect", "execute", the names of witnesses, "guilt". So that after a death
  /// it is known what the process was at.
  std::function<void(std::string_view phase)> entering{};
  Reached* coverage = nullptr;    ///< also note what the chain reaches; changes no verdict
};

/// What "the same bug" means. Two findings of one signature are one finding.
struct Signature {
  FindingKind kind = FindingKind::none;
  std::string guilty{};     ///< op at fault in its form ("hardsigmoid", "add_"); suspects are "+"-joined, "several" if
                            ///< more than three; "" if unknown
  std::string detail{};     ///< error ids ("E5-backward-none"), the magnitude class ("small") of a numeric departure, or
                            ///< "repeat" where results change from run to run
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
  std::vector<LaneRemark> remarks{};           ///< of the lanes; the first decides before any testimony
  Signature signature{};                   ///< of a finding
  std::optional<Cost> twin_cost{};         ///< of the out-of-place twin, where it ran
  std::vector<StepDelta> deltas{};         ///< of the steps that ran in both
};

/// Judges a valid chain (parse.hpp or the generator made it). Never throws: what LibTorch does is data.
/// Deterministic: equal chains get equal verdicts; only slowness near what `time` accuses may go either way. The lanes
/// asked for are installed, the device is open (prepare). A device that is lost ends the process, which says so as its
/// last words (process.hpp); one without memory is an EnvironmentError.
Verdict judge(const Chain& chain, const Plan& plan = {});

/// Once per process, before the first judge: one intra-op thread, empty stack-trace fetcher, pinned switches.
void initialize_libtorch();
/// What a process needs that judges by this plan: LibTorch set up, its lanes and no others, its device open, last words
/// (under_way.hpp). May be called again with another plan. EnvironmentError where a lane or the device does not work.
void prepare(const Plan& plan);

}  // namespace gradsmith
