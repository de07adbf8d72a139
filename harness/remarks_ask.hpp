// What the sources of remark_on share: the question with its limits, and the list of other ways. For remarks*.cpp.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "harness/reduce_edit.hpp"

namespace gradsmith {

/// Asks whether variations of a chain still show the finding, within limits.
class Ask {
 public:
  Ask(const Interesting& interesting, const ReduceLimits& limits) : interesting_(interesting), limits_(limits) {}

  /// The answer; nothing if the variation is no chain or the limits are reached.
  std::optional<bool> operator()(const Chain& variation) {
    if (stopped_ || !reducing::valid(variation)) return std::nullopt;
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - started_;
    stopped_ = tries_ >= limits_.tries || spent.count() > limits_.seconds;
    if (stopped_) return std::nullopt;
    ++tries_;
    return interesting_(canonical_names(variation));
  }

  int tries() const { return tries_; }
  bool stopped() const { return stopped_; }

 private:
  const Interesting& interesting_;
  ReduceLimits limits_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  int tries_ = 0;
  bool stopped_ = false;
};

/// How else the finding shows: "in f32, bf16", "with relu in place", "under no_grad", "without v1 = clone(a)".
std::vector<std::string> other_ways(const Chain& chain, Ask& ask);

}  // namespace gradsmith
