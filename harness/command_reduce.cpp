// `gradsmith reduce`: the smallest chain with the signature of a stored one.
#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "harness/claim.hpp"
#include "harness/commands.hpp"
#include "harness/exits.hpp"
#include "harness/files.hpp"
#include "harness/print.hpp"
#include "harness/reduction.hpp"
#include "harness/signature_apart.hpp"

namespace gradsmith {

int command_reduce(const ReduceOptions& options) {
  const auto loaded = load_chain(options.file);
  if (const auto* error = std::get_if<std::string>(&loaded)) throw UsageError{*error};
  const Chain& chain = std::get<Chain>(loaded);
  const auto claim = claim_of(chain);
  if (const auto* error = std::get_if<std::string>(&claim))
    throw UsageError{fmt::format("{}:1:1: {}", options.file, *error)};
  DeviceOptions device = options.device;
  if (device.name == "cpu") device.name = header(chain, "device").value_or("cpu");
  Plan plan = plan_of(options.witnesses, options.lanes, device);
  plan = plan_for(std::get<std::optional<Claim>>(claim), plan);
  plan.lanes = with_lanes_of(chain, plan.lanes, fmt::format("{}:1:1", options.file));
  const auto signature = signature_apart(chain, plan);
  if (!signature) throw UsageError{fmt::format("{}: shows no finding; nothing to reduce", options.file)};
  plan = plan_for(signature->kind, plan);
  Reduction reduction(chain, *signature, plan);
  while (!reduction.poll()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  const ReductionResult& result = reduction.result();
  Chain smallest = result.chain;
  smallest.comments = chain.comments;
  const std::string text = print(smallest);
  if (options.out)
    write_atomically(*options.out, text);
  else
    fmt::print("{}", text);
  fmt::print(stderr, "{}: {} -> {} steps, {}\n", signature->text(), step_count(chain), step_count(smallest),
             result.words());
  return exit_clean;
}

}  // namespace gradsmith
