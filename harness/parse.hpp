// Text to chain. Errors carry line and column; limits are checked before anything is allocated.
// Knows the op table's schemas, nothing of how ops compute.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "harness/chain.hpp"

namespace gradsmith {

/// What is wrong with a text, and where (1-based, in bytes). `expected` states what would have been right.
struct ParseError {
  int line = 1, column = 1;
  std::string message{};
};
/// "FILE:LINE:COLUMN: message".
std::string format_error(std::string_view file, const ParseError& error);

/// A valid chain, or the first error: syntax, unknown op or attribute, undefined or redefined name, type and shape
/// errors of the typer. Never throws, never allocates more than the limits allow.
std::variant<Chain, ParseError> parse(std::string_view text);

}  // namespace gradsmith
