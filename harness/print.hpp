// Chain to canonical text: parse(print(c)) == c, and print(parse(text)) is what `gradsmith fmt` writes.
#pragma once

#include <string>

#include "harness/chain.hpp"

namespace gradsmith {

/// Canonical text with a trailing newline.
std::string print(const Chain& chain);
/// One statement without newline and indentation, e.g. for findings.
std::string print(const Chain& chain, const Statement& statement);
/// Shortest decimal that reads back to the same double; "inf", "-inf", "nan".
std::string print_number(double value);

}  // namespace gradsmith
