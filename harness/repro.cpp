#include "harness/repro.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/compare.hpp"
#include "harness/expect.hpp"

namespace gradsmith {

Answer answer_of(const Chain& chain, const Typed& typed) {
  Answer answer;
  answer.expectation = expect(chain, typed, &answer.roots);
  if (answer.expectation.refusal) {
    answer.open = "the program ends in a refusal";
  } else if (answer.expectation.hole && answer.expectation.hole != "U17") {  // U17 is judged as LibTorch means it
    answer.open = fmt::format("known hole {}: LibTorch is silent about a gradient that is not the program's",
                              *answer.expectation.hole);
  } else {
    answer.reference = run_reference(chain, typed, answer.roots);
    for (int i = 1; i <= Tolerance{}.more_replicas && answer.reference.open.empty(); ++i)
      widen(answer.reference, run_reference(chain, typed, answer.roots, static_cast<std::uint64_t>(i)));
    answer.open = answer.reference.open;
  }
  return answer;
}

std::vector<Value> telling_values(const Chain& chain, const Typed& typed, const Answer& answer) {
  std::set<int> written;
  std::set<Value> inputs;
  for (const Statement& statement : chain.statements) {
    if (const auto* input = std::get_if<Input>(&statement)) inputs.insert(input->name);
    if (const auto* step = std::get_if<Step>(&statement); step && step->inplace)
      written.insert(typed.values[Args(step->args).tensor(0)].storage);
  }
  std::vector<Value> out;
  for (Value v = 0; static_cast<std::size_t>(v) < answer.reference.values.size(); ++v)
    if (answer.reference.values[v] && (!inputs.contains(v) || written.contains(typed.values[v].storage)))
      out.push_back(v);
  return out;
}

std::string no_repro(const Chain& chain) {
  if (const auto claim = header(chain, "expect"); claim == "finding forward-mode" || claim == "finding second-order")
    return "programs assert values and first gradients of reverse mode";
  for (const Statement& statement : chain.statements) {
    const auto* step = std::get_if<Step>(&statement);
    if (step && std::find(extra_ops().begin(), extra_ops().end(), step->op) != extra_ops().end())
      return fmt::format("{} is no op of LibTorch", step->op->name);
    if (const auto* backward = std::get_if<Backward>(&statement); backward && backward->create_graph)
      return "create_graph: second derivatives are not judged, so there is nothing to assert";
  }
  const auto typed = type_chain(chain);
  if (std::holds_alternative<Typed>(typed) && expect(chain, std::get<Typed>(typed)).hole == "U24")
    return "ops on inference tensors with a history (U24) are not modelled: any of them may be refused";
  return {};
}

std::vector<ReproFile> repro_files(const Chain& chain, const ReproTitle& title) {
  const auto typed = type_chain(chain);
  if (!std::holds_alternative<Typed>(typed) || !no_repro(chain).empty()) return {};
  const Typed& types = std::get<Typed>(typed);
  const Answer answer = answer_of(chain, types);
  return {{"repro.cpp", repro_cpp(chain, types, answer, title)},
          {"repro.py", repro_python(chain, types, answer, title)}};
}

}  // namespace gradsmith
