#include "harness/coverage_report.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "harness/coverage_steps.hpp"

namespace gradsmith {
namespace {

/// Evenly spread over a sorted list, so that one op does not fill the page.
std::vector<std::string> spread(const std::vector<std::string>& all, std::size_t count) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < std::min(count, all.size()); ++i) out.push_back(all[i * all.size() / std::min(count, all.size())]);
  return out;
}

/// The never-reached ones that end so.
std::vector<std::string> ending(const std::vector<std::string>& never, std::string_view end) {
  std::vector<std::string> out;
  std::copy_if(never.begin(), never.end(), std::back_inserter(out), [&](const std::string& name) { return name.ends_with(end); });
  return out;
}

}  // namespace

std::vector<DomainReport> coverage_report(const Reached& reached) {
  Reached possible(true);
  cover_possible(possible);
  std::vector<DomainReport> out;
  for (std::size_t d = 0; d < domain_count; ++d) {
    DomainReport report{.domain = static_cast<Domain>(d)};
    const auto &all = possible.names(report.domain), &seen = reached.names(report.domain);
    std::set_difference(all.begin(), all.end(), seen.begin(), seen.end(), std::back_inserter(report.never));
    report.reached = all.empty() ? seen.size() : all.size() - report.never.size();
    report.further = all.empty() ? 0 : seen.size() - report.reached;
    if (!all.empty()) report.total = all.size();
    out.push_back(std::move(report));
  }
  return out;
}

std::string coverage_json(const std::vector<DomainReport>& reports) {
  auto array = nlohmann::ordered_json::array();
  for (const DomainReport& report : reports) {
    nlohmann::ordered_json total;
    if (report.total) total = *report.total;
    array.push_back({{"domain", domain_name(report.domain)},
                     {"reached", report.reached},
                     {"total", total},
                     {"further", report.further},
                     {"never", report.never}});
  }
  return array.dump(1) + "\n";
}

std::string coverage_words(const std::vector<DomainReport>& reports, std::size_t chains) {
  std::string out = fmt::format("{} chain{}\n\n{:<11}{:>9}{:>9}{:>9}\n", chains, chains == 1 ? "" : "s", "domain", "reached",
                                "of", "further");
  for (const DomainReport& report : reports)
    out += fmt::format("{:<11}{:>9}{:>9}{:>9}\n", domain_name(report.domain), report.reached,
                       report.total ? std::to_string(*report.total) : "-",
                       report.total ? std::to_string(report.further) : "-");
  const auto list = [&](const std::vector<std::string>& names, std::size_t count) {
    for (const std::string& name : spread(names, count)) out += fmt::format("  {}: never\n", name);
  };
  std::size_t missing = 0;
  for (const DomainReport& report : reports) missing += report.never.size();
  out += fmt::format("\nnever reached: {} of the features that the op table makes possible{}\n", missing,
                     missing > 0 ? ", for example" : "");
  const auto& relations = reports[static_cast<std::size_t>(Domain::relations)].never;
  list(ending(relations, "on its result, before backward"), 5);
  list(ending(relations, "on its operand, before backward"), 5);
  list(ending(relations, "on an overlapping view of its result, before backward"), 3);
  list(ending(relations, "on an overlapping view of its operand, before backward"), 3);
  list(reports[static_cast<std::size_t>(Domain::edges)].never, 4);
  list(reports[static_cast<std::size_t>(Domain::ops)].never, 4);
  return out;
}

}  // namespace gradsmith
