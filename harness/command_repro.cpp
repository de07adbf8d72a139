// `gradsmith repro`: a stored chain as a program that needs nothing of GradSmith.
#include <fmt/format.h>

#include "harness/claim.hpp"
#include "harness/commands.hpp"
#include "harness/environment.hpp"
#include "harness/evidence.hpp"
#include "harness/exits.hpp"
#include "harness/files.hpp"
#include "harness/process.hpp"
#include "harness/repro.hpp"
#include "harness/signature_apart.hpp"

namespace gradsmith {

namespace {

/// What the chain shows here, found out in a process of its own: it may die of it.
std::string shown_here(const Chain& chain, const Plan& plan) {
  const Apart result = apart(
      [&] {
        prepare(plan);
        return headline(judge(chain, plan));
      },
      20);
  if (result.answer) return *result.answer;
  return death_signature(result.hung, result.ended).text();
}

}  // namespace

int command_repro(const ReproOptions& options) {
  auto loaded = load_chain(options.file);
  if (const auto* error = std::get_if<std::string>(&loaded)) throw UsageError{*error};
  const Chain& chain = std::get<Chain>(loaded);
  const auto claim = claim_of(chain);
  if (const auto* error = std::get_if<std::string>(&claim))
    throw UsageError{fmt::format("{}:1:1: {}", options.file, *error)};
  const Plan plan = plan_for(std::get<std::optional<Claim>>(claim), {});
  const Mode mode = mode_of(chain);
  if (const std::string reason = no_repro(chain, mode); !reason.empty())
    throw UsageError{fmt::format("{}: no program can be written: {}", options.file, reason)};
  const auto files = repro_files(chain, mode, {.shows = shown_here(chain, plan), .versions = versions_text()});
  const std::string& text = files[options.language == "cpp" ? 0 : 1].text;
  if (options.out)
    write_atomically(*options.out, text);
  else
    fmt::print("{}", text);
  return exit_clean;
}

}  // namespace gradsmith
