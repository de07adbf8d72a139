#include "harness/sanitizer_report.hpp"

#include <algorithm>

namespace gradsmith {

namespace {

constexpr std::size_t longest = 8192;  // bytes

/// The first word after "SUMMARY: AddressSanitizer: "; that of a leak is a number of bytes.
std::string kind_in(std::string_view summary) {
  if (summary.find(" leaked in ") != summary.npos) return "leak";
  std::string_view word = summary.substr(summary.find("Sanitizer: ") + 11);
  word = word.substr(0, word.find_first_not_of("abcdefghijklmnopqrstuvwxyz-"));
  return word.empty() ? "report" : std::string(word);
}

}  // namespace

std::optional<SanitizerReport> sanitizer_report(std::string_view log) {
  const std::size_t summary = log.rfind("\nSUMMARY: ");
  if (summary == log.npos) return std::nullopt;
  const std::size_t end = log.find('\n', summary + 1);
  const std::string_view last = log.substr(summary + 1, end == log.npos ? end : end - summary - 1);
  if (end == log.npos || last.find("Sanitizer: ") == last.npos) return std::nullopt;
  std::size_t begin = 0;
  for (const std::string_view head : {"ERROR: AddressSanitizer", "ERROR: LeakSanitizer", ": runtime error: "})
    if (const std::size_t at = log.rfind(head, summary); at != log.npos) begin = std::max(begin, at);
  begin = begin == 0 ? 0 : log.rfind('\n', begin) + 1;
  std::string words(log.substr(begin, end + 1 - begin));
  if (words.size() > longest) words = words.substr(0, longest) + "...\n" + std::string(last) + "\n";
  return SanitizerReport{kind_in(last), std::move(words)};
}

}  // namespace gradsmith
