// Few sets that together have what all have: greedy set cover. Knows nothing of what the elements mean.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gradsmith {

/// Indices of chosen sets, in the order of choice: each has the most elements that none before it has (of equals the first),
/// until nothing is missing or `most` are chosen. Greedy: at most ln(n) + 1 times as many as the fewest that would do.
std::vector<std::size_t> set_cover(const std::vector<std::vector<std::uint32_t>>& sets, std::size_t most);

}  // namespace gradsmith
