#include "harness/known.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "harness/claim.hpp"
#include "harness/device.hpp"
#include "harness/exits.hpp"
#include "harness/files.hpp"
#include "harness/reference.hpp"
#include "harness/retype.hpp"
#include "harness/signature_apart.hpp"

namespace gradsmith {
namespace {

/// What two operands of an op are in turn, to see what it shows in mixed types.
const std::vector<std::vector<DType>> pairs = {
    {DType::f64, DType::f32}, {DType::f32, DType::f64}, {DType::f64, DType::bf16}, {DType::bf16, DType::f64}};

/// A chain under corpus/known as it is to be asked for its signature.
struct Asked {
  std::string file;
  FindingKind kind;  // that its header expects
  bool as_stored;    // else in another type
  Question question;
};

/// The chains that this plan can judge, as they are and in these types.
std::vector<Asked> questions_in(const std::filesystem::path& folder, const Plan& plan, std::span<const DType> dtypes) {
  std::vector<Asked> asked;
  for (const std::string& file : chain_files({folder.string()})) {
    const auto loaded = load_chain(file);
    if (const auto* error = std::get_if<std::string>(&loaded)) throw UsageError{*error};
    const Chain& chain = std::get<Chain>(loaded);
    const auto read = claim_of(chain);
    if (const auto* error = std::get_if<std::string>(&read)) throw UsageError{fmt::format("{}:1:1: {}", file, *error)};
    const auto& claim = std::get<std::optional<Claim>>(read);
    if (!claim || claim->kind != Claim::Kind::finding) continue;
    Plan own = plan_for(claim, plan);
    const bool numbers = claim->finding <= FindingKind::twin_mismatch;  // only a witness sees these
    if (numbers && std::none_of(own.witnesses.begin(), own.witnesses.end(), [](bool asks) { return asks; })) continue;
    own.lanes =
        with_lanes_of(chain, {}, fmt::format("{}:1:1", file));  // a chain is known for what it shows in its lane
    if (const auto device = header(chain, "device"); !device)
      own.device.clear();  // and on its device
    else if (*device != device_type(plan.device))
      continue;
    asked.push_back({file, claim->finding, true, {chain, own}});
    const bool mixed = types_of(chain).size() > 1;
    for (const DType dtype : dtypes)
      if (mixed || dtype != floating_type(chain))
        asked.push_back({file, claim->finding, false, {in_type(chain, dtype), own}});
    if (dtypes.size() > 1)
      for (const auto& pair : pairs) asked.push_back({file, claim->finding, false, {in_turns(chain, pair), own}});
  }
  return asked;
}

}  // namespace

KnownTable learn_known(const std::filesystem::path& corpus, const Plan& plan, std::span<const DType> dtypes) {
  KnownTable table;
  std::error_code ignored;
  if (!std::filesystem::is_directory(corpus / "known", ignored)) return table;
  const std::vector<Asked> asked = questions_in(corpus / "known", plan, dtypes);
  std::vector<Question> questions;
  for (const Asked& one : asked) questions.push_back(one.question);
  const auto shown = signatures_apart(questions);
  bool passes = false;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const auto& [file, kind, as_stored, question] = asked[i];
    if (as_stored && (passes = !shown[i])) table.passing.push_back(file);
    if (passes || !shown[i] || shown[i]->kind != kind) continue;
    table.issues.try_emplace(shown[i]->text(), KnownIssue{file, *shown[i], step_count(question.chain),
                                                          header(question.chain, "since").value_or(""),
                                                          header(question.chain, "link").value_or("")});
  }
  return table;
}

KnownTable learn_known_aloud(const std::optional<std::filesystem::path>& corpus, const Plan& plan,
                             std::span<const DType> dtypes) {
  KnownTable known = corpus ? learn_known(*corpus, plan, dtypes) : KnownTable{};
  for (const std::string& file : known.passing)
    fmt::print(stderr, "{}: a known issue that now passes; see `gradsmith replay`\n", file);
  return known;
}

}  // namespace gradsmith
