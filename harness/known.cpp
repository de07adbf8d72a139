#include "harness/known.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "harness/claim.hpp"
#include "harness/exits.hpp"
#include "harness/files.hpp"
#include "harness/reduction.hpp"

namespace gradsmith {

KnownTable learn_known(const std::filesystem::path& corpus, const Plan& plan) {
  KnownTable table;
  std::error_code ignored;
  if (!std::filesystem::is_directory(corpus / "known", ignored)) return table;
  for (const std::string& file : chain_files({(corpus / "known").string()})) {
    const auto loaded = load_chain(file);
    if (const auto* error = std::get_if<std::string>(&loaded)) throw UsageError{*error};
    const Chain& chain = std::get<Chain>(loaded);
    const auto read = claim_of(chain);
    if (const auto* error = std::get_if<std::string>(&read)) throw UsageError{fmt::format("{}:1:1: {}", file, *error)};
    const auto& claim = std::get<std::optional<Claim>>(read);
    if (!claim || claim->kind != Claim::Kind::finding) continue;
    Plan own = plan_for(claim, plan);
    const bool numbers = claim->finding <= FindingKind::twin_mismatch;  // only a witness sees these
    if (numbers && std::none_of(own.witnesses.begin(), own.witnesses.end(), [](bool asked) { return asked; })) continue;
    own.lanes = with_lanes_of(chain, {}, fmt::format("{}:1:1", file));  // a chain is known for what it shows in its lane
    if (const auto signature = signature_apart(chain, own))
      table.issues.try_emplace(signature->text(), 
                                KnownIssue{file, *signature, step_count(chain), header(chain, "since").value_or(""),
                                           header(chain, "link").value_or("")});
    else
      table.passing.push_back(file);
  }
  return table;
}

KnownTable learn_known_aloud(const std::optional<std::filesystem::path>& corpus, const Plan& plan) {
  KnownTable known = corpus ? learn_known(*corpus, plan) : KnownTable{};
  for (const std::string& file : known.passing)
    fmt::print(stderr, "{}: a known issue that now passes; see `gradsmith replay`\n", file);
  return known;
}

}  // namespace gradsmith
