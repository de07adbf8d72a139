// Who owns a campaign's folder: one release, one LibTorch, one seed, one process at a time.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <random>

#include "harness/campaign.hpp"
#include "harness/campaign_status.hpp"
#include "harness/environment.hpp"
#include "harness/exits.hpp"
#include "harness/files.hpp"
#include "harness/version.hpp"

namespace gradsmith {

namespace fs = std::filesystem;

namespace {

constexpr int format = 2;  // of the folder; raised when an older release could not go on in it

void must_match(const fs::path& file, std::string_view what, const std::string& theirs, const std::string& ours) {
  if (theirs == ours) return;
  throw UsageError{
      fmt::format("{}: made with {} {}, this is {}; take a new folder, and for its seeds what this one reached: "
                  "`gradsmith merge {} -o corpus/seeds/NAME`",
                  file.string(), what, theirs, ours, file.parent_path().string())};
}

}  // namespace

CampaignLock::CampaignLock(const fs::path& folder) {
  const fs::path file = folder / "lock";
  fd_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd_ < 0) throw EnvironmentError{fmt::format("{}: cannot be written: {}", file.string(), std::strerror(errno))};
  if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) return;
  ::close(fd_);
  throw EnvironmentError{fmt::format("{}: another process runs this campaign; see `gradsmith status {}`",
                                     folder.string(), folder.string())};
}

CampaignLock::~CampaignLock() { ::close(fd_); }

bool CampaignLock::is_held(const fs::path& folder) {
  const int fd = ::open((folder / "lock").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool held = ::flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(fd);
  return held;
}

std::uint64_t open_campaign(const fs::path& folder, std::optional<std::uint64_t> seed) {
  std::error_code ignored;
  const fs::path file = folder / "campaign.json";
  if (!fs::exists(file, ignored)) {
    if (fs::exists(folder, ignored) && !fs::is_directory(folder, ignored))
      throw UsageError{fmt::format("{}: not a folder", folder.string())};
    for (fs::directory_iterator at(folder, ignored), end; !ignored && at != end; at.increment(ignored))
      if (at->path().extension() != ".tmp" && at->path().filename() != "lock")
        throw UsageError{fmt::format("{}: not a campaign's folder (no campaign.json), and not empty", folder.string())};
    make_folder(folder);
    const std::uint64_t drawn = seed ? *seed : std::random_device{}();
    write_atomically(file, as_json(CampaignIdentity{format, version, libtorch_version(), drawn}));
    return drawn;
  }
  make_folder(folder);
  const auto identity = read_identity(read_whole(file.string()));
  if (!identity || identity->format < 1) throw UsageError{fmt::format("{}: not a campaign's settings", file.string())};
  must_match(file, "folder format", std::to_string(identity->format), std::to_string(format));
  must_match(file, "GradSmith", identity->version, version);
  must_match(file, "LibTorch", identity->libtorch, libtorch_version());
  if (seed && *seed != identity->seed)
    throw UsageError{fmt::format("--seed {}: {} has seed {}", *seed, folder.string(), identity->seed)};
  return identity->seed;
}

}  // namespace gradsmith
