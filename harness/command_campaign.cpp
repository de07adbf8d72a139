// `gradsmith fuzz` and `gradsmith campaign`: options checked, the folder opened, known issues learned, the campaign
// run.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <thread>

#include "harness/campaign.hpp"
#include "harness/commands.hpp"
#include "harness/environment.hpp"
#include "harness/exits.hpp"
#include "harness/files.hpp"
#include "harness/interrupt.hpp"
#include "harness/retype.hpp"
#include "harness/version.hpp"

namespace gradsmith {

namespace fs = std::filesystem;

namespace {

/// Whether the file holds libFuzzer: builds without it have a program of this name too, which only replays. The mark is
/// put together here, so that this program does not hold it itself.
bool holds_libfuzzer(const std::string& program) {
  return program.find(fmt::format("stat::{}", "number_of_executed_units")) != std::string::npos;
}

/// What keeps a file from being a worker of this release; nothing if it is one.
std::optional<std::string> unfit(const fs::path& file) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return "no such file";
  if (!fs::is_regular_file(file, ignored)) return "not a program";
  const std::string program = read_whole(file.string());
  if (!holds_libfuzzer(program)) return "not a libFuzzer program";
  if (program.find(worker_mark) == std::string::npos)
    return fmt::format("not the chain_fuzzer of GradSmith {}", version);
  return std::nullopt;
}

/// Whether a worker is built with sanitizers.
bool is_sanitized(const fs::path& worker) {
  return read_whole(worker.string()).find("__asan_init") != std::string::npos;
}

/// Where this program lies.
fs::path own_folder() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path();
}

}  // namespace

std::optional<fs::path> find_worker_program() {
  for (const fs::path& folder : {own_folder(), own_folder() / ".." / "fuzz"})
    if (!unfit(folder / "chain_fuzzer")) return (folder / "chain_fuzzer").lexically_normal();
  return std::nullopt;
}

fs::path worker_program(const std::optional<std::string>& given) {
  if (given) {
    if (const auto why = unfit(*given)) throw UsageError{fmt::format("--worker: {}: {}", *given, *why)};
    return fs::absolute(*given);
  }
  if (const auto found = find_worker_program()) return *found;
  throw EnvironmentError{
      fmt::format("no chain_fuzzer beside {} or in {}; build it: cmake --preset fuzz && cmake --build --preset fuzz",
                  (own_folder() / "gradsmith").string(), (own_folder() / ".." / "fuzz").lexically_normal().string())};
}

namespace {

/// The worker with sanitizers: the usual one if it has them, else that of the preset `asan` unless one was given.
/// Without one the roles that need it are left out, aloud; EnvironmentError if they were asked for.
fs::path sanitized_worker(const fs::path& usual, const CampaignOptions& options, std::vector<const Role*>& roles) {
  const auto needs_it = [](const Role* role) { return role->sanitized; };
  if (std::none_of(roles.begin(), roles.end(), needs_it)) return {};
  if (is_sanitized(usual)) return usual;
  const fs::path other = (own_folder() / ".." / "asan" / "chain_fuzzer").lexically_normal();
  if (!options.worker && !unfit(other)) return other;
  const std::string why =
      options.worker ? fmt::format("{} is not built with sanitizers", *options.worker)
                     : fmt::format("no chain_fuzzer in {}; build it: cmake --preset asan && cmake --build --preset "
                                   "asan --target chain_fuzzer",
                                   other.parent_path().string());
  if (!options.lanes.empty()) throw EnvironmentError{"--lanes sanitizer: " + why};
  std::erase_if(roles, needs_it);
  fmt::print(stderr, "lane sanitizer is left out: {}\n", why);
  return {};
}

}  // namespace

int command_campaign(const CampaignOptions& options) {
  std::vector<const Role*> roles = roles_named(options.lanes);
  const fs::path program = worker_program(options.worker);
  const fs::path sanitized = sanitized_worker(program, options, roles);
  const auto corpus = find_corpus(options.corpus);
  CampaignSettings settings{.folder = fs::absolute(options.folder).lexically_normal(),
                            .program = program,
                            .sanitized = sanitized,
                            .roles = roles};
  settings.seed = open_campaign(settings.folder, options.seed);
  settings.workers = options.workers.value_or(std::max(1, static_cast<int>(std::thread::hardware_concurrency())));
  settings.patience = options.patience;
  settings.seconds = options.hours ? std::optional(*options.hours * 3600) : options.seconds;
  std::error_code ignored;
  if (corpus)
    for (const char* part : {"seeds", "distilled"})
      if (fs::is_directory(*corpus / part, ignored)) settings.seeds.push_back(fs::absolute(*corpus / part));
  const CampaignLock lock(settings.folder);
  catch_interrupts();
  std::signal(SIGXFSZ, SIG_IGN);  // a limit on the size of files then shows as a write that fails
  fmt::print(stderr, "GradSmith {}, LibTorch {}, seed {}, {} worker{}, {}\n", version, libtorch_version(),
             settings.seed, settings.workers, settings.workers == 1 ? "" : "s", settings.folder.string());
  return run_campaign(settings, learn_known_aloud(corpus, {}, floating_types));
}

}  // namespace gradsmith
