#include "harness/repro.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/claim.hpp"
#include "harness/compare.hpp"
#include "harness/expect.hpp"
#include "harness/forward_expected.hpp"
#include "harness/second_expected.hpp"
#include "harness/weigh.hpp"

namespace gradsmith {

Mode mode_of(FindingKind kind) {
  switch (kind) {
    case FindingKind::forward_mode:
      return Mode::forward;
    case FindingKind::second_order:
      return Mode::second;
    case FindingKind::twin_mismatch:
    case FindingKind::nondeterminism:
    case FindingKind::leak:
    case FindingKind::memory:
    case FindingKind::time:
      return Mode::none;
    default:
      return Mode::reverse;
  }
}

Mode mode_of(const Chain& chain) {
  const auto read = claim_of(chain);
  const auto* claim = std::get_if<std::optional<Claim>>(&read);
  return claim && *claim && (*claim)->kind == Claim::Kind::finding ? mode_of((*claim)->finding) : Mode::reverse;
}

namespace {

void answer_forward(Answer& answer, const Chain& chain, const Typed& typed) {
  const std::size_t statements = forward_statements(chain, answer.expectation.refusal);
  const auto pass = [&](int number) {
    return expect_forward(chain, typed, {}, statements, {}, static_cast<std::uint64_t>(number));
  };
  ForwardExpected expected = pass(0);
  answer.along = expected.along;
  answer.expectation = {.refusal = expected.refusal};
  if (!expected.hole.empty()) answer.expectation.hole = expected.hole;
  for (int i = 1; i <= Tolerance{}.more_replicas && expected.open.empty() && !expected.refusal; ++i)
    widen(expected, pass(i));
  answer.open = expected.open;
  answer.directed = std::move(expected.tangents);
}

void answer_second(Answer& answer, const Chain& chain, const Typed& typed) {
  answer.along = second_direction(chain);
  answer.expectation.refusal = expect_second_refusal(chain, typed);
  if (answer.expectation.refusal) return;
  SecondExpected expected = expect_second(chain, typed, answer.roots, 0, answer.along);
  for (int i = 1; i < 3 * (1 + Tolerance{}.more_replicas) && expected.open.empty(); ++i)
    widen(expected, expect_second(chain, typed, answer.roots, static_cast<std::uint64_t>(i), answer.along));
  answer.open = expected.open;
  answer.reference.gradients = std::move(expected.first);
  answer.directed = std::move(expected.second);
}

}  // namespace

Answer answer_of(const Chain& chain, const Typed& typed, Mode mode) {
  Answer answer{.mode = mode};
  answer.expectation = expect(chain, typed, &answer.roots);
  const bool stops = answer.expectation.refusal && answer.expectation.refusal->phase.kind == Phase::Kind::step;
  if (stops || (mode == Mode::second && answer.expectation.refusal)) answer.mode = mode = Mode::reverse;  // gets no further
  if (mode == Mode::forward)
    answer_forward(answer, chain, typed);
  else if (mode == Mode::second)
    answer_second(answer, chain, typed);
  if (answer.expectation.refusal) {
    answer.open = "the program ends in a refusal";
  } else if (answer.expectation.hole && answer.expectation.hole != "U17") {  // U17 is judged as LibTorch means it
    answer.open = fmt::format("known hole {}: LibTorch is silent about a gradient that is not the program's",
                              *answer.expectation.hole);
  } else if (mode == Mode::reverse) {
    answer.reference = run_reference(chain, typed, answer.roots);
    widen_by_more_replicas(answer.reference, chain, typed, answer.roots);
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

std::string no_repro(const Chain& chain, Mode mode) {
  if (mode == Mode::none) return "its numbers are right; what it costs, leaves behind, or gives in another form or run is not";
  for (const Statement& statement : chain.statements) {
    const auto* step = std::get_if<Step>(&statement);
    if (step && std::find(extra_ops().begin(), extra_ops().end(), step->op) != extra_ops().end())
      return fmt::format("{} is no op of LibTorch", step->op->name);
    const auto* backward = std::get_if<Backward>(&statement);
    if (backward && backward->create_graph)
      return "create_graph: second derivatives are not judged, so there is nothing to assert";
    if (backward && mode == Mode::forward && !backward->results.empty())
      return "in forward mode a gradient with a name is a number that only a backward gives";
  }
  const auto typed = type_chain(chain);
  if (std::holds_alternative<Typed>(typed) && expect(chain, std::get<Typed>(typed)).hole == "U24")
    return "ops on inference tensors with a history (U24) are not modelled: any of them may be refused";
  return {};
}

std::vector<ReproFile> repro_files(const Chain& chain, Mode mode, const ReproTitle& title) {
  const auto typed = type_chain(chain);
  if (!std::holds_alternative<Typed>(typed) || !no_repro(chain, mode).empty()) return {};
  const Typed& types = std::get<Typed>(typed);
  const Answer answer = answer_of(chain, types, mode);
  return {{"repro.cpp", repro_cpp(chain, types, answer, title)},
          {"repro.py", repro_python(chain, types, answer, title)}};
}

}  // namespace gradsmith
