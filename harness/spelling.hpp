// Which known word was meant by a misspelt one: for error messages only. Knows nothing of chains or ops.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gradsmith {

/// Levenshtein's distance: insertions, deletions and changes of one byte.
std::size_t edit_distance(std::string_view a, std::string_view b);
/// The candidate nearest to `word`, the first of several; empty if there is none.
std::string_view nearest_word(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace gradsmith
