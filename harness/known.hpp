// Known issues: the chains under corpus/known, by the signature each shows on this machine.
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "harness/judge.hpp"

namespace gradsmith {

/// A known issue.
struct KnownIssue {
  std::string file{};
  Signature signature{};
  int steps = 0;
  std::string since{}, link{};  ///< from the header, if it says
};

/// Known issues by signature text, and the files that show no finding any more.
struct KnownTable {
  std::map<std::string, KnownIssue> issues{};
  std::vector<std::string> passing{};
};

/// Whose corpora hold chains of every floating type: campaigns and fuzzing.
inline constexpr std::array every_type = {DType::f64, DType::f32, DType::bf16, DType::f16};

/// Judges every chain under `corpus`/known whose header expects a finding, each in a process of its own; an absent
/// folder gives an empty table. What a chain shows with its floating inputs in one of `dtypes` is known as well. UsageError
/// for a file that is no chain.
KnownTable learn_known(const std::filesystem::path& corpus, const Plan& plan, std::span<const DType> dtypes = {});
/// The same, naming on standard error those that now pass. Without a corpus: nothing is known.
KnownTable learn_known_aloud(const std::optional<std::filesystem::path>& corpus, const Plan& plan,
                             std::span<const DType> dtypes = {});

}  // namespace gradsmith
