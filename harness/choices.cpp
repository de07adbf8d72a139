#include "harness/choices.hpp"

#include <bit>
#include <numeric>

namespace gradsmith {

std::uint64_t Choices::bits() {
  if (from_bytes_) {
    std::uint64_t word = 0;
    for (unsigned shift = 0; shift < 64 && !bytes_.empty(); shift += 8) {
      word |= static_cast<std::uint64_t>(bytes_.front()) << shift;
      bytes_ = bytes_.subspan(1);
    }
    return word;
  }
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

std::uint64_t Choices::below(std::uint64_t count) {
  if (count <= 1) return 0;  // no choice costs no byte
  if (!from_bytes_) {
    // The high word of a 64x64-bit product: unbiased up to count * 2^-64.
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>((static_cast<Wide>(bits()) * count) >> 64);
  }
  // As few bytes as the count needs, so that a mutated byte changes one decision and the rest stays in step.
  std::uint64_t word = 0;
  const unsigned width = static_cast<unsigned>(std::bit_width(count - 1));
  for (unsigned shift = 0; shift < width && !bytes_.empty(); shift += 8) {
    word |= static_cast<std::uint64_t>(bytes_.front()) << shift;
    bytes_ = bytes_.subspan(1);
  }
  return word % count;
}

std::size_t Choices::weighted(std::span<const unsigned> weights) {
  const std::uint64_t sum = std::accumulate(weights.begin(), weights.end(), std::uint64_t{0});
  std::uint64_t left = below(sum);
  std::size_t i = 0;
  while (left >= weights[i]) left -= weights[i++];
  return i;
}

}  // namespace gradsmith
