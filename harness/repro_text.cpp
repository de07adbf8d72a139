// What a program's text is made of in either language: lines that are broken and commented, and its head.
#include <fmt/format.h>

#include <algorithm>

#include "harness/evidence.hpp"
#include "harness/repro_body.hpp"

namespace gradsmith {

std::vector<std::string> wrapped(const std::string& line, std::size_t width) {
  std::vector<std::string> lines;
  std::size_t begin = 0, cut = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    quoted ^= line[i] == '"';
    const std::size_t used = i - begin + (lines.empty() ? 0 : 4);
    if (used >= width && cut > begin) {
      lines.push_back((lines.empty() ? "" : "    ") + line.substr(begin, cut - begin));
      begin = cut + 1;  // the blank behind the comma
    }
    if (!quoted && line[i] == ' ' && i > 0 && line[i - 1] == ',') cut = i;
  }
  lines.push_back((lines.empty() ? "" : "    ") + line.substr(begin));
  return lines;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::string commented(std::string_view mark, const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += fmt::format("{}{}{}\n", mark, line.empty() ? "" : " ", line);
  return out;
}

std::vector<std::string> repro_head(const Chain& chain, const Answer& answer, const ReproTitle& title) {
  std::vector<std::string> lines{title.shows};
  for (const std::string& comment : chain.comments)
    if (!comment.starts_with("expect:")) lines.push_back(comment);
  lines.emplace_back();
  const bool numbers = answer.open.empty();
  lines.push_back(fmt::format("Right is: {}.", answer.expectation.refusal ? refusal_words(answer.expectation.refusal)
                                               : numbers ? "no error, and the numbers at the end, each within what "
                                                           "rounding can do"
                                                         : "no error"));
  lines.push_back("Ends with 0 if that comes; else it says what came, and ends with 1.");
  lines.push_back(fmt::format("Written with {}; needs nothing of GradSmith.", title.versions));
  return lines;
}

}  // namespace gradsmith
