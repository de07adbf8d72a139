#include "harness/explain_text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gradsmith {

namespace {

constexpr std::size_t columns = 100;

/// Columns that a word takes on a terminal: colours are escapes that end in 'm'.
std::size_t columns_of(const std::string& word) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word[i] == '\033')
      i = std::min(word.find('m', i), word.size() - 1);
    else
      ++count;
  }
  return count;
}

}  // namespace

std::string folded(const std::string& words, std::size_t indentation) {
  std::string out(indentation, ' ');
  std::size_t column = indentation, begin = 0;
  while (begin < words.size()) {
    const std::size_t end = std::min(words.find(' ', begin), words.size());
    const std::string word = words.substr(begin, end - begin);
    const std::size_t width = columns_of(word);
    if (begin > 0 && column + 1 + width > columns) {
      out += "\n" + std::string(indentation + 2, ' ');
      column = indentation + 2;
    } else if (begin > 0) {
      out += ' ';
      ++column;
    }
    out += word;
    column += width;
    begin = end + 1;
  }
  return out + "\n";
}

std::string short_values(const std::vector<double>& values) {
  constexpr std::size_t shown = 6;
  std::string out;
  for (std::size_t i = 0; i < std::min(values.size(), shown); ++i)
    out += fmt::format("{}{:.4g}", i ? ", " : "", values[i]);
  if (values.size() > shown) out += fmt::format(", ... ({})", values.size());
  return values.empty() ? "(no elements)" : out;
}

}  // namespace gradsmith
