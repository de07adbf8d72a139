// `--witness LIST` and `--lane LIST`, for every command that judges.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "harness/commands.hpp"
#include "harness/exits.hpp"

namespace gradsmith {

namespace {

constexpr std::array<std::string_view, 1> of_later_releases = {"device"};

}  // namespace

Plan plan_of(const std::vector<std::string>& witnesses, const std::vector<std::string>& lanes) {
  Plan plan{.lanes = lanes_of(lanes, "--lane")};
  plan.witnesses.fill(witnesses.empty());
  for (const std::string& name : witnesses) {
    const auto at = std::find(std::begin(witness_names), std::end(witness_names), name);
    if (at != std::end(witness_names)) {
      plan.witnesses[static_cast<std::size_t>(at - std::begin(witness_names))] = true;
    } else if (std::find(of_later_releases.begin(), of_later_releases.end(), name) != of_later_releases.end()) {
      throw EnvironmentError{fmt::format("--witness {}: not available in this release", name)};
    } else {
      throw UsageError{
          fmt::format("--witness: unknown witness \"{}\"; expected {}", name, fmt::join(witness_names, ", "))};
    }
  }
  return plan;
}

}  // namespace gradsmith
