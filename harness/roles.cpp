#include "harness/roles.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/exits.hpp"

namespace gradsmith {

const std::vector<Role>& roles() {
  static const std::vector<Role> table{
      {.name = "plain", .words = "everything at its default"},
      {.name = "refusals",
       .words = "fresh chains mostly must be refused",
       .environment = {{"GRADSMITH_KNOBS", "refused"}}},
      {.name = "small",
       .words = "short chains of small tensors",
       .flags = {"-max_len=700"},
       .environment = {{"GRADSMITH_KNOBS", "small"}}},
      {.name = "profile",
       .words = "the engine also rewards getting closer in comparisons of ours",
       .flags = {"-use_value_profile=1"}},
      {.name = "guard",
       .words = "tensors end at a page that faults, start as NaN and are out of reach once freed",
       .environment = {{"GRADSMITH_LANES", "guard"}}},
      {.name = "determinism",
       .words = "each chain twice: results must not change",
       .environment = {{"GRADSMITH_LANES", "determinism"}}},
      {.name = "leak",
       .words = "each chain again: the heap must be as it was",
       .environment = {{"GRADSMITH_LANES", "leak"}}},
      {.name = "sanitizer",
       .words = "the worker is built with AddressSanitizer, UBSan and LeakSanitizer",
       .sanitized = true},
      {.name = "f32", .words = "everything in float", .environment = {{"GRADSMITH_KNOBS", "f32"}}},
      {.name = "bf16", .words = "everything in bfloat16", .environment = {{"GRADSMITH_KNOBS", "bf16"}}},
      {.name = "f16", .words = "everything in float16", .environment = {{"GRADSMITH_KNOBS", "f16"}}},
      {.name = "mixed", .words = "several floating types a chain", .environment = {{"GRADSMITH_KNOBS", "mixed"}}},
      {.name = "seeds", .words = "starts from the stored seeds again and again", .starts_from_merged = false},
  };
  return table;
}

std::string role_list() {
  std::string names;
  for (const Role& role : roles()) names += (names.empty() ? "" : ",") + std::string(role.name);
  return names;
}

const Role& role_at(const std::vector<const Role*>& roles, std::size_t worker, std::size_t workers,
                    std::uint64_t merges) {
  return *roles[(worker + workers * merges) % roles.size()];
}

std::vector<const Role*> roles_named(const std::vector<std::string>& names) {
  std::vector<const Role*> found;
  if (names.empty())
    for (const Role& role : roles()) found.push_back(&role);
  for (const std::string& name : names) {
    const auto at = std::find_if(roles().begin(), roles().end(), [&](const Role& role) { return role.name == name; });
    if (at == roles().end()) {
      throw UsageError{fmt::format("--lanes: unknown lane \"{}\"; expected some of {}", name, role_list())};
    }
    found.push_back(&*at);
  }
  return found;
}

}  // namespace gradsmith
