#include "harness/set_cover.hpp"

#include <algorithm>
#include <queue>
#include <unordered_set>

namespace gradsmith {

std::vector<std::size_t> set_cover(const std::vector<std::vector<std::uint32_t>>& sets, std::size_t most) {
  // What a set adds only shrinks as others are chosen: a set whose old promise is still the best after a recount is the best.
  struct Promise {
    std::size_t adds, set;
    bool operator<(const Promise& other) const { return adds != other.adds ? adds < other.adds : set > other.set; }
  };
  std::priority_queue<Promise> open;
  for (std::size_t i = 0; i < sets.size(); ++i) open.push({sets[i].size(), i});
  std::unordered_set<std::uint32_t> covered;
  std::vector<std::size_t> chosen;
  while (!open.empty() && chosen.size() < most) {
    const Promise best = open.top();
    open.pop();
    const auto& set = sets[best.set];
    std::unordered_set<std::uint32_t> fresh;
    for (const std::uint32_t element : set)
      if (!covered.contains(element)) fresh.insert(element);
    if (fresh.empty()) continue;
    if (fresh.size() < best.adds) {
      open.push({fresh.size(), best.set});
      continue;
    }
    covered.insert(fresh.begin(), fresh.end());
    chosen.push_back(best.set);
  }
  return chosen;
}

}  // namespace gradsmith
