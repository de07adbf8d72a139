// A campaign: fuzz workers kept going, their findings stored and reduced, their corpora merged, until its time is over
// or somebody asks it to end. Its folder holds everything, so that it goes on after a kill of anything at any moment.
// Knows the parts it puts together; nothing of the option parser.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "harness/known.hpp"
#include "harness/roles.hpp"

namespace gradsmith {

struct CampaignSettings {
  std::filesystem::path folder{};
  std::filesystem::path program{};             ///< chain_fuzzer, as libFuzzer links it
  std::filesystem::path sanitized{};           ///< the same with sanitizers; empty: no role needs it
  std::vector<std::filesystem::path> seeds{};  ///< folders of stored chains to start from
  std::uint64_t seed = 0;
  int workers = 1;
  std::vector<const Role*> roles{};  ///< dealt out by role_at()
  double patience = 20;              ///< seconds; a chain that takes longer hangs
  std::optional<double> seconds{};   ///< of the campaign as a whole, earlier processes included; none: until asked
};

/// Holds a campaign's folder for this process alone, until it ends in whatever way.
class CampaignLock {
 public:
  /// EnvironmentError if another process holds it, or the folder cannot be written.
  explicit CampaignLock(const std::filesystem::path& folder);
  CampaignLock(const CampaignLock&) = delete;
  CampaignLock& operator=(const CampaignLock&) = delete;
  ~CampaignLock();
  /// Whether some process holds it.
  static bool is_held(const std::filesystem::path& folder);

 private:
  int fd_ = -1;
};

/// Opens the folder or makes it; the seed in use, which is the folder's own if it has one. UsageError if it belongs to
/// something else, to another release, another LibTorch or another seed.
std::uint64_t open_campaign(const std::filesystem::path& folder, std::optional<std::uint64_t> seed);

/// Runs it to its end; the exit code. EnvironmentError if the disk is full or the workers do not run; nothing is lost
/// then.
int run_campaign(const CampaignSettings& settings, KnownTable known);

}  // namespace gradsmith
