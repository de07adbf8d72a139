// Chains for tests, from text. Knows the parser only.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/parse.hpp"

namespace gradsmith {

/// The chain that `text` is; ends the program with the parser's message if it is none.
inline Chain parse_or_die(std::string_view text) {
  auto parsed = parse(text);
  if (const auto* error = std::get_if<ParseError>(&parsed)) {
    std::cerr << format_error("<test>", *error) << "\n" << text << std::endl;
    std::abort();
  }
  return std::get<Chain>(std::move(parsed));
}

/// "LINE:COLUMN: message", or "valid".
inline std::string error_of(std::string_view text) {
  const auto parsed = parse(text);
  const auto* error = std::get_if<ParseError>(&parsed);
  return error ? std::to_string(error->line) + ":" + std::to_string(error->column) + ": " + error->message : "valid";
}

/// A text and what `error_of` says of it.
struct Bad {
  std::string text, error;
};
/// Each text, with `before` in front of it, gives its error.
inline void expect_errors(const std::string& before, const std::vector<Bad>& cases) {
  for (const Bad& bad : cases) EXPECT_EQ(error_of(before + bad.text), bad.error) << bad.text;
}

}  // namespace gradsmith
