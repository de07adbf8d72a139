// Folders of units merged into one by set cover: the fewest units that together reach every feature. The work is the
// engine's, in a process of its own; here units are gathered and results put in place. Knows files and that process.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/spawn.hpp"

namespace gradsmith {

/// The units in these folders, but for those written to so recently that they may not be whole yet.
std::vector<std::filesystem::path> settled_units(const std::vector<std::filesystem::path>& folders);

/// One merge under way.
class Merge {
 public:
  /// Gathers the units in `scratch`, which is emptied first, and starts `program` on them. Units with one file name are
  /// one unit. EnvironmentError if the scratch folder cannot be written.
  Merge(const std::filesystem::path& program, const std::filesystem::path& scratch,
        const std::vector<std::filesystem::path>& units);
  ~Merge();

  /// True or false once it has ended: whether it went well. Does not wait.
  std::optional<bool> poll();
  /// Puts the chosen units into `target`, then removes what was gathered from `target` and from `sources`, but for the
  /// chosen in `target`. A kill at any moment leaves every feature somewhere.
  void put_in_place(const std::filesystem::path& target, const std::vector<std::filesystem::path>& sources) const;
  std::size_t gathered() const { return gathered_; }
  std::filesystem::path log() const { return scratch_ / "log"; }

 private:
  /// After it went well: the chosen units, file names in `scratch`/out.
  std::vector<std::string> chosen() const;
  std::filesystem::path chosen_folder() const { return scratch_ / "out"; }

  std::filesystem::path scratch_;
  std::size_t gathered_ = 0;
  std::unique_ptr<Spawned> process_{};
};

}  // namespace gradsmith
