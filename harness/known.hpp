// Known issues: the chains under corpus/known, by the signature each shows on this machine.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
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

/// Judges every chain under `corpus`/known whose header expects a finding, in processes of their own
/// (signature_apart.hpp); an absent folder gives an empty table. What a chain shows with its floating inputs in one of
/// `dtypes` is known as well, and where there are several what it shows with inputs of two; what is of another kind
/// than its header expects is not: it is something else. UsageError for a file that is no chain.
KnownTable learn_known(const std::filesystem::path& corpus, const Plan& plan, std::span<const DType> dtypes = {});
/// The same, naming on standard error those that now pass. Without a corpus: nothing is known.
KnownTable learn_known_aloud(const std::optional<std::filesystem::path>& corpus, const Plan& plan,
                             std::span<const DType> dtypes = {});

}  // namespace gradsmith
