#include "harness/merge.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "harness/exits.hpp"
#include "harness/files.hpp"
#include "harness/worker_post.hpp"

namespace gradsmith {

namespace fs = std::filesystem;

namespace {

constexpr auto settled_after = std::chrono::seconds(3);  // a file written to so recently may not be whole

bool is_settled(const fs::path& file) {
  std::error_code gone;
  const auto written = fs::last_write_time(file, gone);
  return !gone && fs::file_time_type::clock::now() - written > settled_after;
}

/// A second name for a file, or a copy on another file system; false if neither can be had.
bool link_or_copy(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::create_hard_link(from, to, error);
  if (!error) return true;
  return fs::copy_file(from, to, fs::copy_options::skip_existing, error) || !error;
}

}  // namespace

std::vector<fs::path> settled_units(const std::vector<fs::path>& folders) {
  std::vector<fs::path> units;
  for (const fs::path& folder : folders)
    for (const std::string& name : files_in(folder))
      if (is_settled(folder / name)) units.push_back(folder / name);
  return units;
}

Merge::Merge(const fs::path& program, const fs::path& scratch, const std::vector<fs::path>& units) : scratch_(scratch) {
  std::error_code ignored;
  fs::remove_all(scratch_, ignored);
  for (const char* part : {"in", "out", "corpus"}) make_folder(scratch_ / part);
  for (const fs::path& unit : units) {
    const fs::path gathered = scratch_ / "in" / unit.filename();
    if (fs::exists(gathered, ignored)) continue;
    if (link_or_copy(unit, gathered))
      ++gathered_;
    else if (fs::exists(unit, ignored))  // the engine drops a unit now and then
      throw EnvironmentError{fmt::format("{}: cannot be written", gathered.string())};
  }
  // The engine starts its inner processes through a shell, without quotes: it gets relative names, through a link.
  fs::create_symlink(fs::absolute(program), scratch_ / "engine", ignored);
  process_ = std::make_unique<Spawned>(
      Command{.program = "./engine",
              .arguments = {"-set_cover_merge=1", "-merge_control_file=control",
                            fmt::format("-max_len={}", WorkerPost::max_len), "-rss_limit_mb=4096", "-timeout=20",
                            "-artifact_prefix=artifact-", "out", "in"},
              .environment = {{"GRADSMITH_ON_FINDING", "report"},
                              {"GRADSMITH_CORPUS", "corpus"},  // findings are of no interest here
                              {"GRADSMITH_SUPERVISOR", std::to_string(::getpid())}},
              .log = fs::absolute(log()),
              .folder = scratch_});
}

Merge::~Merge() = default;

std::optional<bool> Merge::poll() {
  const auto ended = process_->poll();
  if (!ended) return std::nullopt;
  return ended->clean();
}

std::vector<std::string> Merge::chosen() const { return files_in(chosen_folder()); }

void Merge::put_in_place(const fs::path& target, const std::vector<fs::path>& sources) const {
  std::set<std::string> kept;
  for (const std::string& name : chosen()) {
    std::error_code ignored;
    if (!fs::exists(target / name, ignored) && !link_or_copy(chosen_folder() / name, target / name))
      throw EnvironmentError{fmt::format("{}: cannot be written", (target / name).string())};
    kept.insert(name);
  }
  const std::vector<std::string> gathered = files_in(scratch_ / "in");
  const auto drop = [&](const fs::path& folder, bool but_kept) {
    std::error_code ignored;
    for (const std::string& name : gathered)
      if (!but_kept || !kept.contains(name)) fs::remove(folder / name, ignored);
  };
  drop(target, true);
  for (const fs::path& source : sources) drop(source, false);
}

}  // namespace gradsmith
