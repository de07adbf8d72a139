// `--witness LIST`, `--lane LIST` and `--device NAME`, for every command that judges.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "harness/commands.hpp"
#include "harness/device_library.hpp"
#include "harness/exits.hpp"

namespace gradsmith {

namespace {

void choose_witnesses(Plan& plan, const std::vector<std::string>& witnesses) {
  plan.witnesses.fill(witnesses.empty());
  for (const std::string& name : witnesses) {
    const auto at = std::find(std::begin(witness_names), std::end(witness_names), name);
    if (at != std::end(witness_names)) {
      plan.witnesses[static_cast<std::size_t>(at - std::begin(witness_names))] = true;
    } else {
      throw UsageError{
          fmt::format("--witness: unknown witness \"{}\"; expected {}", name, fmt::join(witness_names, ", "))};
    }
  }
}

}  // namespace

Plan plan_of(const std::vector<std::string>& witnesses, const std::vector<std::string>& lanes, const DeviceOptions& device) {
  Plan plan{.lanes = lanes_of(lanes, "--lane")};
  choose_witnesses(plan, witnesses);
  const bool wanted = plan.witnesses[static_cast<std::size_t>(Witness::device)];
  if (device.name == "cpu" && !witnesses.empty() && wanted)
    throw UsageError{"--witness device: needs --device: cuda, cuda:N, all, or a backend given with --load"};
  plan.device = choose_device(device.name, device.libraries);
  return plan;
}

}  // namespace gradsmith
