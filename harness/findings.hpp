// The distinct findings of a run: counted by signature, told apart into known and new, stored at first sight, then
// reduced. Knows the store and the reduction; nothing of workers.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/known.hpp"
#include "harness/record.hpp"
#include "harness/reduction.hpp"
#include "harness/store.hpp"

namespace gradsmith {

/// One new finding with all that is known of it.
struct Finding {
  Signature signature{};
  std::string headline{}, evidence{};  ///< of the chain stored
  std::uint64_t count = 0, first_case = 0;
  Chain original{}, smallest{};
  std::string reduction = "not yet reduced";
  std::optional<std::uint64_t> reduced_case{};  ///< the case that `smallest` comes from
  std::string file{};                           ///< of the stored chain, relative to the output folder
};

class Findings {
 public:
  struct Settings {
    Plan plan{};
    std::uint64_t seed = 0;
    int reductions_at_once = 1;
    std::string versions{};
    std::function<Chain(std::uint64_t index)> chain_of{};      ///< the chain of a case, made again
    std::function<void(const std::string& block)> announce{};  ///< told of every new finding once it is reduced
  };
  Findings(Store& store, KnownTable known, Settings settings);

  /// Counts a finding. The first of a signature that is not known is stored at once and put down for reduction.
  void add(const Signature& signature, std::uint64_t index, const std::string& headline, const std::string& evidence);
  /// Starts and harvests reductions, without waiting; true while some are left.
  bool work();
  /// Puts down for another reduction what was reduced from a later case than its first: which case arrives first
  /// depends on the number of workers, the result must not.
  void settle();
  /// Ends all reductions with what they have.
  void stop();
  /// Writes every finding's page with its final count.
  void finish();

  std::size_t new_count() const { return found_.size(); }
  std::size_t known_count() const { return known_seen_.size(); }
  /// Sorted by signature.
  std::vector<FindingEntry> entries() const;

 private:
  void store(const std::string& text, Finding& finding);
  void harvest(const std::string& text, const Reduction& reduction);
  std::string page(const std::string& text, const Finding& finding) const;
  Store& store_;
  KnownTable known_;
  Settings settings_;
  std::map<std::string, Finding> found_{};
  std::map<std::string, std::uint64_t> known_seen_{};
  std::vector<std::string> waiting_{};
  struct Running {
    std::string text;
    std::uint64_t index;
    Reduction reduction;
  };
  std::vector<Running> running_{};
};

}  // namespace gradsmith
