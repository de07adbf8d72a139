// The distinct findings of a run or a campaign: counted by signature, told apart into known and new, stored at first
// sight, then reduced. Knows the store and the reduction; nothing of workers, nor how a chain came about.
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

/// Where a chain comes from. Of the sightings of one signature, that of the least rank counts as the first.
struct Origin {
  std::uint64_t rank = 0;
  std::string words{};  ///< "case 2 of seed 1"
};

/// One finding that was new when it was seen, with all that is known of it.
struct Finding {
  Signature signature{};
  std::string headline{}, evidence{};  ///< of the chain stored
  std::uint64_t count = 0;
  Origin first{};
  Chain original{}, smallest{};
  std::string reduction = "not yet reduced", repeats = "not yet tried";
  std::optional<std::uint64_t> reduced_rank{};  ///< of the sighting that `smallest` comes from
  std::string file{};                           ///< of the stored chain, relative to the output folder
  std::string known_as{};                       ///< signature of the known issue that `smallest` turned out to be
  bool announced = false;
  bool resumed = false;  ///< `smallest` is what an earlier process had reached
};

class Findings {
 public:
  struct Settings {
    Plan plan{};
    int reductions_at_once = 1;
    std::string versions{};
    std::vector<std::string> libraries{};  ///< of the plan's device, as given with --load
    std::function<void(const std::string& block)> announce{};  ///< told of every new finding once it is reduced
  };
  Findings(Store& store, KnownTable known, Settings settings);

  /// Counts a finding. The first of a signature that is not known is stored at once and put down for reduction;
  /// `chain` is asked for only if it is needed.
  void add(const Signature& signature, const Origin& origin, const std::function<Chain()>& chain,
           const std::string& headline, const std::string& evidence);
  /// Takes up a finding that an earlier process had stored: as add() for its first sighting, but nothing is announced
  /// again and the reduction goes on from the chain that was reached.
  void resume(const Signature& signature, const Origin& origin, const Chain& original, const std::string& headline,
              const std::string& evidence);
  /// Replaces the counts of findings, known ones too, where somebody else does the counting.
  void recount(const std::map<std::string, std::uint64_t>& by_signature);
  /// Starts and harvests reductions, without waiting; true while some are left.
  bool work();
  /// Puts down for another reduction what was reduced from a later case than its first: which case arrives first
  /// depends on the number of workers, the result must not.
  void settle();
  /// Ends all reductions with what they have.
  void stop();
  /// Writes every finding's page with its final count.
  void finish();

  bool is_known(const std::string& signature) const { return known_.issues.contains(signature); }
  /// Signatures that are new. One whose reduced chain shows a known issue, which was laid at another door in the larger
  /// one, is known from then on.
  std::size_t new_count() const;
  std::size_t known_count() const { return known_seen_.size() + found_.size() - new_count(); }
  /// Files of known issues that show no finding any more.
  const std::vector<std::string>& now_passing() const { return known_.passing; }
  /// Sorted by signature.
  std::vector<FindingEntry> entries() const;

 private:
  /// The plan of the run, with the lanes that the chain's header asks for.
  Plan plan_of(const Finding& finding) const;
  void store(const std::string& text, Finding& finding);
  void harvest(const std::string& text, const Reduction& reduction);
  /// The command that shows a stored chain again.
  std::string replay_words(const Finding& finding, const std::string& file) const;
  std::string page(const std::string& text, const Finding& finding) const;
  Store& store_;
  KnownTable known_;
  Settings settings_;
  std::map<std::string, Finding> found_{};
  std::map<std::string, std::uint64_t> known_seen_{};
  std::vector<std::string> waiting_{};
  struct Running {
    std::string text;
    std::uint64_t rank;
    Reduction reduction;
  };
  std::vector<Running> running_{};
};

}  // namespace gradsmith
