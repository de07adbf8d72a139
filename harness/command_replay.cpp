// `gradsmith replay`: stored chains judged again, one process for all until one of them kills it.
#include <fmt/format.h>

#include "harness/claim.hpp"
#include "harness/commands.hpp"
#include "harness/device.hpp"
#include "harness/evidence.hpp"
#include "harness/exits.hpp"
#include "harness/files.hpp"
#include "harness/pool.hpp"
#include "harness/signature_apart.hpp"

namespace gradsmith {

namespace {

/// A file that is a chain, with what it claims of itself.
struct Stored {
  std::string file;
  Chain chain;
  std::optional<Claim> claim;
  LaneSet lanes;  // asked for by its header or by the options
};

/// "+words" if the verdict is as expected, "-words" if not.
std::string compare(const Stored& stored, const Verdict& verdict) {
  if (!stored.claim) return (verdict.status == Status::finding ? "-" : "+") + headline(verdict);
  const auto difference = departs(*stored.claim, verdict);
  return difference ? "-" + *difference : "+" + headline(verdict);
}

/// The verdict on a chain that ended the process.
Verdict verdict_of(const Death& death) {
  Verdict verdict;
  verdict.status = Status::finding;
  verdict.signature = death_signature(death.hang, death.ended);
  verdict.reason = death_words(death.hang, death.ended);
  return verdict;
}

/// What a chain claims of itself where it is judged on that kind of device too (`# expect-cuda:`, else `# expect:`).
std::variant<std::optional<Claim>, std::string> claim_on(const Chain& chain, const std::string& device) {
  const auto own = device.empty() ? std::nullopt : header(chain, "expect-" + device);
  if (!own) return claim_of(chain);
  auto claim = parse_claim(*own);
  if (auto* message = std::get_if<std::string>(&claim)) return std::move(*message);
  return std::get<Claim>(std::move(claim));
}

std::variant<Stored, std::string> load(const std::string& file, const Plan& plan) {
  auto loaded = load_chain(file);
  if (const auto* error = std::get_if<std::string>(&loaded)) return *error;
  Stored stored{file, std::get<Chain>(std::move(loaded)), std::nullopt, {}};
  stored.lanes = with_lanes_of(stored.chain, plan.lanes, fmt::format("{}:1:1", file));
  auto claim = claim_on(stored.chain, device_type(plan.device));
  if (const auto* error = std::get_if<std::string>(&claim)) return fmt::format("{}:1:1: {}", file, *error);
  stored.claim = std::get<std::optional<Claim>>(std::move(claim));
  return stored;
}

}  // namespace

int command_replay(const ReplayOptions& options) {
  const Plan plan = plan_of(options.witnesses, options.lanes, options.device);
  std::vector<Stored> chains;
  int unreadable = 0, elsewhere = 0;
  for (const std::string& file : chain_files(options.paths)) {
    auto loaded = load(file, plan);
    if (const auto* error = std::get_if<std::string>(&loaded)) {
      fmt::print(stderr, "{}\n", *error);
      ++unreadable;
      continue;
    }
    Stored& stored = std::get<Stored>(loaded);
    const auto device = header(stored.chain, "device");
    if (device && *device != device_type(plan.device)) {
      fmt::print(stderr, "{}: left out: it is about --device {}\n", file, *device);
      ++elsewhere;
    } else {
      chains.push_back(std::move(stored));
    }
  }
  int differing = 0;
  const auto tell = [&](std::uint64_t index, std::string_view answer) {
    const Stored& stored = chains[index];
    const bool differs = answer[0] == '-';
    differing += differs;
    if (differs || options.verbose || (!stored.claim && chains.size() == 1))
      fmt::print("{}: {}{}\n", stored.file, differs ? "" : "as expected: ", answer.substr(1));
    std::fflush(stdout);
  };
  run_pool(
      {.count = chains.size(),
       .begin = [](int) { initialize_libtorch(); },
       .work =
           [&](int, std::uint64_t index) {
              const Stored& stored = chains[index];
              Plan own = plan_for(stored.claim, plan);
              own.lanes = stored.lanes;
              prepare(own);
              return compare(stored, judge(stored.chain, own));
           },
       .done = tell,
       .died = [&](std::uint64_t index, const Death& death) { tell(index, compare(chains[index], verdict_of(death))); },
       .keep_going = [] { return true; }});
  fmt::print("{} chain{}: {} as expected, {} differ{}", chains.size(), chains.size() == 1 ? "" : "s",
             chains.size() - static_cast<std::size_t>(differing), differing, differing == 1 ? "s" : "");
  if (elsewhere) fmt::print(", {} left out", elsewhere);
  fmt::print("{}\n", unreadable ? fmt::format(", {} could not be read", unreadable) : "");
  if (unreadable) return exit_usage;
  return differing ? exit_finding : exit_clean;
}

}  // namespace gradsmith
