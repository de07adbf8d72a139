#include "harness/known.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "harness/claim.hpp"
#include "harness/device.hpp"
#include "harness/exits.hpp"
#include "harness/files.hpp"
#include "harness/reduction.hpp"
#include "harness/reference.hpp"
#include "harness/retype.hpp"

namespace gradsmith {
namespace {

/// What two operands of an op are in turn, to see what it shows in mixed types.
const std::vector<std::vector<DType>> pairs = {{DType::f64, DType::f32}, {DType::f32, DType::f64}, {DType::f64, DType::bf16}, {DType::bf16, DType::f64}};

}  // namespace

KnownTable learn_known(const std::filesystem::path& corpus, const Plan& plan, const std::vector<DType>& types) {
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
    if (const auto device = header(chain, "device"); !device)
      own.device.clear();  // and on its device
    else if (*device != device_type(plan.device))
      continue;
    const auto shows = [&](const Chain& shown) {
      const auto signature = signature_apart(shown, own);
      if (signature)
        table.issues.try_emplace(signature->text(),
                                 KnownIssue{file, *signature, step_count(shown), header(chain, "since").value_or(""),
                                            header(chain, "link").value_or("")});
      return signature.has_value();
    };
    if (!shows(chain)) {
      table.passing.push_back(file);
      continue;
    }
    for (const DType dtype : types)
      if (types.size() > 1 || dtype != floating_type(chain)) shows(in_type(chain, dtype));
    if (types.size() > 1)
      for (const std::vector<DType>& pair : pairs) shows(in_turns(chain, pair));
  }
  return table;
}

KnownTable learn_known_aloud(const std::optional<std::filesystem::path>& corpus, const Plan& plan,
                             const std::vector<DType>& types) {
  KnownTable known = corpus ? learn_known(*corpus, plan, types) : KnownTable{};
  for (const std::string& file : known.passing)
    fmt::print(stderr, "{}: a known issue that now passes; see `gradsmith replay`\n", file);
  return known;
}

}  // namespace gradsmith
