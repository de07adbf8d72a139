// `gradsmith fmt`: canonical form in place; a file with an error is left alone, the others are still done.
#include <fmt/format.h>

#include "harness/commands.hpp"
#include "harness/exits.hpp"
#include "harness/files.hpp"
#include "harness/print.hpp"

namespace gradsmith {

int command_fmt(const FmtOptions& options) {
  int result = exit_clean;
  for (const std::string& file : chain_files(options.paths)) {
    const std::string text = read_chain_text(file);
    const auto parsed = parse(text);
    if (const auto* error = std::get_if<ParseError>(&parsed)) {
      fmt::print(stderr, "{}\n", format_error(file == "-" ? "<stdin>" : file, *error));
      result = exit_usage;
      continue;
    }
    const std::string canonical = print(std::get<Chain>(parsed));
    if (options.check) {
      if (canonical == text) continue;
      fmt::print("{}\n", file == "-" ? "<stdin>" : file);
      if (result == exit_clean) result = exit_finding;
    } else if (file == "-") {
      fmt::print("{}", canonical);
    } else if (canonical != text) {
      write_atomically(file, canonical);
    }
  }
  return result;
}

}  // namespace gradsmith
