// LaneSet: ways of running a chain that show what no witness can see in one plain run: memory errors inside kernels, results
// that change from run to run, memory that is not given back. One explicit, ordered table. Knows chains and the executor;
// must not know LibTorch, the judge, or how a record is kept.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/outcome.hpp"
#include "harness/witness.hpp"

namespace gradsmith {

/// The lanes, in the order of the table.
enum class Lane : std::uint8_t { guard, determinism, leak, tf32 };
inline constexpr std::size_t lane_kinds = 4;
/// Which lanes to use.
using LaneSet = std::array<bool, lane_kinds>;

/// What a lane holds against a chain.
struct LaneRemark {
  Lane lane{};
  FindingKind kind = FindingKind::none;
  std::string detail{};  ///< one word, the same for one defect in every chain: "value", "read-past-end"
  std::string words{};   ///< a sentence with the numbers
  bool has_culprit = true;  ///< one step alone may show the same; false: it takes several
};

/// One lane. Both functions may be null.
struct LaneEntry {
  Lane lane;
  std::string_view name, shows;
  /// Switches the process over, before a judgement; off again where `on` is false. Costs nothing if nothing changes.
  /// EnvironmentError where the lane cannot work.
  void (*install)(bool on);
  /// After the witnesses: runs the chain again and compares with its first outcome.
  std::optional<LaneRemark> (*check)(const Chain& chain, const std::vector<Value>& roots, const Outcome& first);
};
const std::array<LaneEntry, lane_kinds>& lane_table();
std::string_view lane_name(Lane lane);

/// Installs the lanes asked for and takes the others away.
void install(const LaneSet& lanes);
/// What the lanes asked for hold against a chain that was executed with this outcome.
std::vector<LaneRemark> remarks_on(const Chain& chain, const std::vector<Value>& roots, const Outcome& first,
                               const LaneSet& lanes);

/// The lanes named, separated by commas or as a list; UsageError that starts with `where` for a name that is none.
LaneSet lanes_of(const std::vector<std::string>& names, std::string_view where);
/// The same from one text, as in the environment variable GRADSMITH_LANES.
LaneSet lanes_in(std::string_view text, std::string_view where);
/// `lanes` and those that the chain's header asks for (`# lane: guard`): what a stored finding needs to show again.
LaneSet with_lanes_of(const Chain& chain, LaneSet lanes, std::string_view where);
/// "guard,leak"; empty if none.
std::string lane_list(const LaneSet& lanes);

}  // namespace gradsmith
