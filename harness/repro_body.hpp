// The statements of a stand-alone program, in either language: what stands between its helpers and its end. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/repro.hpp"

namespace gradsmith {

/// The lines of a program's main part and which helpers they call.
struct ReproBody {
  std::vector<std::string> lines{};  ///< without the indentation of the function they stand in, 112 columns at most
                                     ///< where a line can be broken
  bool tensor = false, strided = false, refused = false, check = false, functional = false, level = false, again = false;
};
ReproBody repro_body(Language language, const Chain& chain, const Typed& typed, const Answer& answer);

/// Breaks a line at commas outside strings so that none is longer than `width`, where that is possible.
std::vector<std::string> wrapped(const std::string& line, std::size_t width);

/// The lines of a text that ends with a newline.
std::vector<std::string> lines_of(std::string_view text);
/// Lines as comments: "// line\n"; the mark alone for empty ones.
std::string commented(std::string_view mark, const std::vector<std::string>& lines);

/// Lines of the head, without comment marks: what the program shows, what it asserts, the chain.
std::vector<std::string> repro_head(const Chain& chain, const Answer& answer, const ReproTitle& title);

}  // namespace gradsmith
