// Semantic coverage: what chains have reached, as named features in nine domains, each a fixed slice of one bounded array
// of counters. Says nothing of how a feature is seen (coverage_steps.hpp, coverage_verdict.hpp, dispatch.hpp) or who asks.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gradsmith {

/// What features are about, in the order of their slices.
enum class Domain : std::uint8_t {
  ops,        ///< a form of an op, the layout it met, the mode it ran in
  edges,      ///< which form made what which form reads, along the data
  relations,  ///< how a write met a saved tensor
  histories,  ///< what memory had been through when a step or a backward used it
  kernels,    ///< what LibTorch dispatched, forward and backward, and in which order
  graph,      ///< which nodes of the autograd graph follow which
  outcome,    ///< the verdict; which error, where, of which form
  numerics,   ///< how near rounding the worst element is (levels); NaN, infinities, subnormals, -0
  resources,  ///< bytes allocated and allocations, in powers of two
};
inline constexpr std::size_t domain_count = 9;
/// "ops", "edges", ...
std::string_view domain_name(Domain domain);

/// What a fuzzer is rewarded for. The generator draws the wide cross products of ops by itself, and a corpus kept for them
/// hides the rest; what memory has been through must be built up (reports/2026-11-26-ablation.md).
constexpr bool guides(Domain domain) {
  return domain == Domain::histories || domain == Domain::outcome || domain == Domain::numerics;
}

/// Counters of each domain. Features of a domain that has more names than counters share some: coverage stays bounded, and
/// so does a corpus that is kept for it.
inline constexpr std::array<std::size_t, domain_count> domain_counters{1024, 4096, 6144, 8192, 2048, 1024, 768, 512, 64};
/// All of them: 23 Ki and a bit.
inline constexpr std::size_t counter_count = [] {
  std::size_t sum = 0;
  for (const std::size_t count : domain_counters) sum += count;
  return sum;
}();

/// Whose slice a counter is in.
Domain domain_of(std::uint32_t counter);

/// The byte of a level from 0 to 7: each falls in a bucket of its own of the eight that libFuzzer tells apart.
std::uint8_t level_byte(unsigned level);

/// What chains have reached. Only names decide which counter a feature has: no address, no order, no clock.
class Reached {
 public:
  /// `named`: keep the names too (for reports; a fuzzer does without).
  explicit Reached(bool named = false) : named_(named), levels_(counter_count, unseen) {}

  /// A feature by its name, given in pieces, at a level from 0 to 7. Of one counter the highest level stays.
  void note(Domain domain, std::span<const std::string_view> words, unsigned level = 0);
  void note(Domain domain, std::initializer_list<std::string_view> words, unsigned level = 0) {
    note(domain, std::span(words.begin(), words.size()), level);
  }
  /// The same by its counter: what another has reached.
  void note(std::uint32_t counter, unsigned level = 0);
  /// One in `share`, by what has been noted so far; always where names are kept. For features too dear to look at of every
  /// chain: the same chain is chosen in any process.
  bool chosen(unsigned share) const;
  /// Forgets everything.
  void clear();
  /// Indices of the counters hit, in the order they were first hit.
  const std::vector<std::uint32_t>& counters() const { return counters_; }
  /// The highest level a counter was hit at; only for one that was.
  unsigned level(std::uint32_t index) const { return levels_[index]; }
  /// Names reached in a domain; empty unless asked for.
  const std::set<std::string, std::less<>>& names(Domain domain) const {
    return names_[static_cast<std::size_t>(domain)];
  }

 private:
  static constexpr std::uint8_t unseen = 0xff;
  bool named_;
  std::vector<std::uint8_t> levels_;
  std::vector<std::uint32_t> counters_{};
  std::array<std::set<std::string, std::less<>>, domain_count> names_{};
};

}  // namespace gradsmith
