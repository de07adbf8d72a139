#include "harness/coverage.hpp"

#include <algorithm>
#include <cstring>

namespace gradsmith {
namespace {

constexpr std::array<std::size_t, domain_count> first_counters = [] {
  std::array<std::size_t, domain_count> out{};
  for (std::size_t d = 1; d < domain_count; ++d) out[d] = out[d - 1] + domain_counters[d - 1];
  return out;
}();

/// Eight bytes at a time: a byte-wise hash of all names of a chain would cost a tenth of judging it.
std::uint64_t mix(std::uint64_t hash, std::string_view word) {
  constexpr std::uint64_t odd = 0x9e3779b97f4a7c15u;
  for (; word.size() >= 8; word.remove_prefix(8)) {
    std::uint64_t chunk;
    std::memcpy(&chunk, word.data(), 8);
    hash = (hash ^ chunk) * odd;
    hash ^= hash >> 32;
  }
  std::uint64_t rest = word.size() + 1;
  for (const char c : word) rest = rest << 8 | static_cast<unsigned char>(c);
  hash = (hash ^ rest) * odd;
  return hash ^ hash >> 32;
}

}  // namespace

std::string_view domain_name(Domain domain) {
  constexpr std::string_view names[] = {"ops",   "edges",   "relations", "histories", "kernels",
                                        "graph", "outcome", "numerics",  "resources"};
  return names[static_cast<std::size_t>(domain)];
}

Domain domain_of(std::uint32_t counter) {
  std::size_t d = domain_count - 1;
  while (counter < first_counters[d]) --d;
  return static_cast<Domain>(d);
}

std::uint8_t level_byte(unsigned level) {
  constexpr std::uint8_t bytes[] = {1, 2, 3, 4, 8, 16, 32, 128};
  return bytes[std::min(level, 7u)];
}

void Reached::note(Domain domain, std::span<const std::string_view> words, unsigned level) {
  std::uint64_t hash = 0;
  for (const std::string_view word : words) hash = mix(hash, word);
  const auto d = static_cast<std::size_t>(domain);
  note(static_cast<std::uint32_t>(first_counters[d] + hash % domain_counters[d]), level);
  if (!named_) return;
  std::string name;
  for (const std::string_view word : words) name += word;
  names_[d].insert(std::move(name));
}

void Reached::note(std::uint32_t counter, unsigned level) {
  std::uint8_t& seen = levels_[counter];
  if (seen == unseen) {
    counters_.push_back(counter);
    seen = static_cast<std::uint8_t>(level);
  }
  seen = std::max(seen, static_cast<std::uint8_t>(level));
}

bool Reached::chosen(unsigned share) const {
  std::uint64_t sum = 0;  // in any order
  for (const std::uint32_t index : counters_) sum += (index + 1) * 0x9e3779b97f4a7c15u;
  return named_ || (sum >> 32) % share == 0;
}

void Reached::clear() {
  for (const std::uint32_t index : counters_) levels_[index] = unseen;
  counters_.clear();
  for (auto& names : names_) names.clear();
}

}  // namespace gradsmith
