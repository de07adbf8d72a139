// What the workers of a campaign do differently from each other: diversity finds more than copies do. One table.
// Knows names of flags and variables; nothing of processes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gradsmith {

/// One way to fuzz. Adding one is adding an entry to the table.
struct Role {
  std::string_view name{}, words{};                                ///< words: for people, one line
  std::vector<std::string> flags{};                                ///< of the engine, after those that all workers get
  std::vector<std::pair<std::string, std::string>> environment{};  ///< beside what all workers get
  bool sanitized = false;          ///< its worker is one that is built with sanitizers
  bool starts_from_merged = true;                                  ///< else from the stored seeds alone, at every start
};

/// All roles in a fixed order.
const std::vector<Role>& roles();
/// The names of all, as `--lanes` takes them.
std::string role_list();
/// What worker `worker` of `workers` is after so many merges: at each, all move on by their number, so that few workers
/// have every role in turn.
const Role& role_at(const std::vector<const Role*>& roles, std::size_t worker, std::size_t workers,
                    std::uint64_t merges);
/// Those named, in the order given; the default ones if the list is empty. UsageError for a name that is none.
std::vector<const Role*> roles_named(const std::vector<std::string>& names);

}  // namespace gradsmith
