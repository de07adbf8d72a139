#include "harness/known.hpp"

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
    if (!header(chain, "expect").value_or("").starts_with("finding")) continue;
    if (const auto signature = signature_apart(chain, plan))
      table.issues.try_emplace(signature->text(), KnownIssue{file, *signature, step_count(chain)});
    else
      table.passing.push_back(file);
  }
  return table;
}

}  // namespace gradsmith
