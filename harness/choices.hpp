// Where decisions come from: the only way to randomness. One generator, three sources: a seed, a recorded byte string
// (fuzzer input; exhausted bytes read as zero), and RapidCheck (through a seed it draws). Equal choices, equal chains.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace gradsmith {

class Choices {
 public:
  /// Decisions from a seed: splitmix64, the same on every machine.
  explicit Choices(std::uint64_t seed) : state_(seed) {}
  /// Decisions from bytes, consumed in order; 0 when they run out. The bytes must outlive this.
  explicit Choices(std::span<const std::uint8_t> bytes) : bytes_(bytes), from_bytes_(true) {}

  /// An integer in [0, count); count >= 1.
  std::uint64_t below(std::uint64_t count);
  /// An integer in [lo, hi].
  std::int64_t between(std::int64_t lo, std::int64_t hi) {
    return lo + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(hi - lo) + 1));
  }
  /// True with probability percent/100.
  bool chance(unsigned percent) { return below(100) < percent; }
  /// One of the elements; `of` is not empty.
  template <class Container>
  auto& pick(Container& of) {
    return of[below(of.size())];
  }
  /// An index with probability proportional to its weight; the weights' sum is positive.
  std::size_t weighted(std::span<const unsigned> weights);
  std::uint64_t bits();

 private:
  std::uint64_t state_ = 0;
  std::span<const std::uint8_t> bytes_{};
  bool from_bytes_ = false;
};

}  // namespace gradsmith
