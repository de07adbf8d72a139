// What the fuzz target does with a chain: it is judged, counted, and written down if it is a finding. Alone, a new
// finding ends the process; inside a campaign (GRADSMITH_WORKER) it is data, and the process goes on.
// Knows the judge and a worker's folder; nothing of the engine.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "harness/generate.hpp"
#include "harness/judge.hpp"
#include "harness/worker_folder.hpp"

namespace gradsmith {

/// One per process. Its environment:
/// GRADSMITH_WORKER=DIR      a campaign's worker: findings go into DIR, nothing ends the process
/// GRADSMITH_ON_FINDING=...  without it: `abort` (default) at a finding that is not known, `report` prints each
///                           signature once. With `abort`, forward and second are not asked: the engine, when it
///                           minimises, must meet the same witnesses in every chain
/// GRADSMITH_CORPUS=DIR      without it: DIR/known are the known issues (default: corpus)
/// GRADSMITH_LANES=LIST      lanes besides the witnesses: guard, determinism, leak
/// GRADSMITH_KNOBS=LIST      what chains generated afresh look like: `small`, `refused`; and a floating type for
///                           these and all mutants: f32, bf16, f16
/// GRADSMITH_SUPERVISOR=PID  it ends when that process has ended: what the engine starts in a merge does not die with it
class FuzzWorker {
 public:
  /// Comes before LibTorch is set up here: known issues are judged in processes of their own.
  /// What judged chains reach is noted in `coverage`, if given.
  explicit FuzzWorker(Reached* coverage);
  /// The input as it came, before it is parsed.
  void begin(std::string_view bytes);
  /// Judges what it turned out to be.
  Verdict judge(const Chain& chain);
  /// The input is done with.
  void end();
  /// Sets LibTorch and the lanes asked for up here.
  void prepare() const;
  /// For the mutator.
  const Knobs& knobs() const { return knobs_; }

 private:
  void record(const Chain& chain, const Verdict& verdict);
  void tell(const Chain& chain, const Verdict& verdict);
  std::optional<WorkerFolder> folder_{};
  std::optional<SlotWriter> slot_{};
  Plan plan_{};
  Knobs knobs_{};
  bool aborts_ = true;
  int supervisor_ = 0;  // process; 0: none
  WorkerCount count_{};
  std::set<std::string> seen_{};  // signatures that are known or were told already
  std::string libtorch_{}, cpu_{};
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now(), counted_{};
};

}  // namespace gradsmith
