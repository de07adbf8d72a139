// `gradsmith explain`: a stored chain step by step.
#include <fmt/format.h>
#include <unistd.h>

#include "harness/commands.hpp"
#include "harness/exits.hpp"
#include "harness/explain.hpp"
#include "harness/files.hpp"
#include "harness/process.hpp"
#include "harness/signature_apart.hpp"
#include "harness/twin.hpp"

namespace gradsmith {

int command_explain(const ExplainOptions& options) {
  auto loaded = load_chain(options.file);
  if (const auto* error = std::get_if<std::string>(&loaded)) throw UsageError{*error};
  const Chain& chain = std::get<Chain>(loaded);
  const Typed typed = std::get<Typed>(type_chain(chain));  // a chain that parses has types
  const Answer answer = answer_of(chain, typed);
  const Paint paint(::isatty(STDOUT_FILENO) == 1);
  const Apart told = apart(  // LibTorch may die of the chain
      [&] {
        prepare({});
        Heard heard{.verdict = judge(chain, plan_of({}, {}))};
        if (auto twin = execute_twin(chain, typed, answer.roots); std::holds_alternative<Twin>(twin))
          heard.twin = std::get<Twin>(std::move(twin)).outcome;
        return explanation(chain, typed, answer, heard, paint);
      },
      20);
  if (told.answer)
    fmt::print("{}", *told.answer);
  else
    fmt::print("{}", explanation(chain, typed, answer, {.died = death_signature(told.hung, told.ended).text()}, paint));
  return exit_clean;
}

}  // namespace gradsmith
