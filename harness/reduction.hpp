// Reducing a finding in a process of its own, so that candidates that crash or hang do no harm; the best chain so far
// is handed over as it is found. The smallest one is judged again and again, and gets its remarks. Knows the judge, the
// reducer and remark_on.
#pragma once

#include <optional>
#include <string>

#include "harness/judge.hpp"
#include "harness/process.hpp"

namespace gradsmith {

/// What a reduction came to.
struct ReductionResult {
  Chain chain{};
  std::string headline{}, evidence{};  ///< of `chain`; empty if the process never got to it
  std::string signature{};             ///< the same; the op at fault is clearer in it than in the chain it comes from
  bool reproduced = false;             ///< the original chain showed its signature again
  bool complete = false;               ///< a fixpoint was reached within the limits
  int repeated = 0, repeats = 0;       ///< of so many more verdicts on `chain`, so many were the same
  double seconds = 0;
  std::string words() const;        ///< "complete in 1.8 s", "cut short after 60 s", "did not reproduce"
  std::string repeat_words() const;  ///< "20 of 20 times", with what it means if they are fewer
};

/// One reduction under way.
class Reduction {
 public:
  static constexpr double limit = 60;  ///< seconds
  /// Starts to reduce `chain` under its signature.
  Reduction(const Chain& chain, const Signature& signature, const Plan& plan);
  /// Takes what has come, without waiting; true once it is over (ended, died, or stopped for taking far too long).
  bool poll();
  /// Ends it now with the best chain so far.
  void stop();
  const ReductionResult& result() const { return result_; }

 private:
  void take(std::string_view frame);
  double elapsed() const;
  ReductionResult result_{};
  double started_;
  std::optional<Child> child_{};
};

}  // namespace gradsmith
