// The deaths of workers on their way to becoming findings: the chain is put on disk at once, judged again in a process
// of its own, and reported under the signature it shows there. Knows workers' folders and the judge; no engine.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/process.hpp"
#include "harness/worker_folder.hpp"
#include "harness/worker_post.hpp"

namespace gradsmith {

class Burial {
 public:
  struct Settings {
    std::vector<WorkerFolder> workers{};
    std::filesystem::path merged{};                       ///< the merged corpus
    std::function<void(const std::string& line)> tell{};  ///< of deaths that make no finding
    double patience = 20;                                 ///< seconds; a chain that takes longer hangs
    std::map<std::string, std::uint64_t> counts{};        ///< of earlier processes
  };
  /// Takes up what an earlier process left: chains not yet confirmed, and inputs it was at when it was killed.
  explicit Burial(Settings settings);
  /// Worker `index` died. Where very many chains wait already, it is only counted.
  void take(int index, std::uint64_t restart, const PostDeath& death);
  /// Goes on without waiting; true while something is left.
  bool work();
  /// Deaths that made findings, by signature.
  const std::map<std::string, std::uint64_t>& counts() const { return settings_.counts; }

 private:
  struct Case {
    int index;
    std::filesystem::path file;
    std::string how;
    Chain chain;
  };
  void put_down(int index, const std::filesystem::path& file);
  void settle(const Case& one, const std::optional<Signature>& shown);
  void remove_unit(const Chain& chain) const;
  Settings settings_;
  std::vector<Case> waiting_{};
  std::optional<Child> confirming_{};
  std::optional<Signature> shown_{};
};

}  // namespace gradsmith
