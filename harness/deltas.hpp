// What in-place steps save against their out-of-place forms, in bytes and time: of single steps, and summed over a run.
// Pure data and functions; knows costs, not how they were taken.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/cost.hpp"
#include "harness/expect.hpp"

namespace gradsmith {

/// Ratios, counted in classes of 2^(1/16), about 4 %; those beyond 2^-8 and 2^8 in the outermost. Order does not
/// matter.
class RatioHistogram {
 public:
  static constexpr int classes = 257;
  /// The class of `part / whole`; both are at least 1 ns.
  static int class_of(std::int64_t part, std::int64_t whole);
  void add(int which, std::uint64_t times = 1) { counts_[static_cast<std::size_t>(which)] += times; }
  void add(const RatioHistogram& other);
  std::uint64_t total() const;
  /// Middle of the class that holds the median; 0 if nothing was counted.
  double median() const;
  std::uint64_t operator[](int which) const { return counts_[static_cast<std::size_t>(which)]; }
  /// "CLASS:COUNT CLASS:COUNT ..." of the classes that are not empty, and back; nothing for any other text.
  std::string text() const;
  static std::optional<RatioHistogram> from(std::string_view text);
  bool operator==(const RatioHistogram&) const = default;

 private:
  std::array<std::uint64_t, classes> counts_{};
};

/// One step that ran in the chain and in its twin, there out of place.
struct StepDelta {
  static constexpr int untimed = -1;
  const Op* op = nullptr;
  bool inplace = false;     ///< false: the same call in both, a control of what the machine does to times; timed only
  bool recorded = false;    ///< it has a node in the graph
  int ratio = untimed;      ///< class of its time in the chain, by that in the twin
  std::int64_t live = 0;    ///< bytes the in-place form saves after the step; negative: costs
  std::int64_t peak = 0;    ///< ... at the highest moment of the step
  std::int64_t target = 0;  ///< bytes of the tensor written, the unit of both
};

/// The steps that ran to their end in the chain and in its twin. Left out are those for which the twin does more than the
/// op: writes to tensors with aliases, in regions, and where both forms lay out their result otherwise. `timed`: the nanoseconds of the costs are fit to be compared (pairing.hpp).
std::vector<StepDelta> deltas_of(const Chain& chain, const Typed& typed, const std::vector<Retained>& kept, const Cost& own,
                                 const Cost& twin, bool timed);

/// Sums over the steps of one op's in-place form.
struct OpDelta {
  std::uint64_t steps = 0;
  RatioHistogram ratio{};  ///< of those that were timed
  std::int64_t live = 0, peak = 0, target = 0;
  void add(const StepDelta& step);
  void add(const OpDelta& other);
  bool operator==(const OpDelta&) const = default;
};

}  // namespace gradsmith
