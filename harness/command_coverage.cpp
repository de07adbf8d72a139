// `gradsmith coverage`: stored chains judged again, for what they reach.
#include <fmt/format.h>

#include "harness/commands.hpp"
#include "harness/coverage_report.hpp"
#include "harness/exits.hpp"
#include "harness/files.hpp"
#include "harness/pool.hpp"

namespace gradsmith {
namespace {

/// What one chain reaches, a line per name: the domain's digit, then the name.
std::string names_reached(const Chain& chain) {
  Reached reached(true);
  judge(chain, {.guilt = false, .coverage = &reached});
  std::string out;
  for (std::size_t d = 0; d < domain_count; ++d)
    for (const std::string& name : reached.names(static_cast<Domain>(d))) out += fmt::format("{}{}\n", d, name);
  return out;
}

void add_names(std::string_view lines, Reached& to) {
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    to.note(static_cast<Domain>(lines[0] - '0'), {lines.substr(1, end - 1)});
    lines.remove_prefix(end + 1);
  }
}

}  // namespace

int command_coverage(const CoverageOptions& options) {
  std::vector<std::string> files;
  std::vector<Chain> chains;
  int unreadable = 0;
  for (const std::string& file : chain_files(options.paths, true)) {
    auto loaded = load_chain(file);
    if (const auto* error = std::get_if<std::string>(&loaded)) {
      fmt::print(stderr, "{}\n", *error);
      ++unreadable;
      continue;
    }
    files.push_back(file);
    chains.push_back(std::get<Chain>(std::move(loaded)));
  }
  if (chains.empty() && unreadable) return exit_usage;
  Reached all(true);
  int died = 0;
  run_pool({.count = chains.size(),
            .begin = [](int) { initialize_libtorch(); },
            .work = [&](int, std::uint64_t index) { return names_reached(chains[index]); },
            .done = [&](std::uint64_t, std::string_view answer) { add_names(answer, all); },
            .died =
                [&](std::uint64_t index, const Death& death) {
                  fmt::print(stderr, "{}: {}; what it reaches is not counted\n", files[index],
                             death.hang ? "hung" : "died of " + ended_name(death.ended));
                  ++died;
                },
            .keep_going = [] { return true; }});
  const auto reports = coverage_report(all);
  if (options.json) write_atomically(*options.json, coverage_json(reports));
  fmt::print("{}", coverage_words(reports, chains.size()));
  return unreadable ? exit_usage : died ? exit_finding : exit_clean;
}

}  // namespace gradsmith
