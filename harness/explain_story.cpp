#include "harness/explain_story.hpp"

#include <fmt/format.h>

#include <map>

#include "harness/expect.hpp"
#include "harness/guilt.hpp"

namespace gradsmith {

namespace {

/// Names a statement gives, in order.
std::vector<Value> given_by(const Statement& statement) {
  std::vector<Value> out;
  const auto add = [&](const std::vector<Value>& results) {
    for (const Value value : results)
      if (value != dropped) out.push_back(value);
  };
  if (const auto* input = std::get_if<Input>(&statement)) out.push_back(input->name);
  if (const auto* step = std::get_if<Step>(&statement)) add(step->results);
  if (const auto* backward = std::get_if<Backward>(&statement)) add(backward->results);
  return out;
}

std::vector<double> exact(const std::vector<Var>& elements) {
  std::vector<double> out;
  for (const Var& v : elements) out.push_back(v.exact());
  return out;
}

}  // namespace

Story tell(const Chain& chain, const Typed& typed, const Answer& answer) {
  Story story;
  Model model;
  Evaluator evaluator(0, floating_type(chain));
  bool follows = true;  // until a gradient with a name comes whose elements are not known
  std::vector<Value> defined;
  std::map<int, int> versions;  // by counter
  story.defined_at.resize(chain.names.size());
  const auto look = [&](std::size_t statement) {
    Moment moment;
    moment.tensors.resize(chain.names.size());
    moment.values.resize(chain.names.size());
    for (const Value value : defined) {
      const TensorView view = model.tensor(value);
      moment.tensors[value] = view;
      if (follows) moment.values[value] = exact(evaluator.read(value));
      if (view.counter < 0) continue;
      const auto [at, fresh] = versions.try_emplace(view.counter, view.version);
      if (!fresh && at->second != view.version)
        story.bumps.push_back({view.counter, at->second, view.version, statement});
      at->second = view.version;
    }
    story.moments.push_back(std::move(moment));
    story.nodes = model.nodes();
    story.made_at.resize(story.nodes.size(), statement);
  };
  for (std::size_t i = 0; i < chain.statements.size(); ++i) {
    const Statement& statement = chain.statements[i];
    model.add(statement, typed);
    if (!model.expectation().refusal) {
      if (follows) evaluator.add(statement, typed);
      for (const Value value : given_by(statement)) {
        defined.push_back(value);
        story.defined_at[value] = i;
        if (!std::holds_alternative<Backward>(statement)) continue;
        follows = follows && static_cast<std::size_t>(value) < answer.reference.values.size() &&
                  answer.reference.values[value];
        if (follows)
          evaluator.bind(value,
                         {answer.reference.values[value]->value.begin(), answer.reference.values[value]->value.end()});
      }
    }
    look(i);
    if (model.expectation().refusal) break;
  }
  model.finish(chain, typed);
  story.nodes = model.nodes();
  story.made_at.resize(story.nodes.size(), chain.statements.size());
  story.blame = model.blame();
  return story;
}

int step_number(const Chain& chain, std::size_t statement) {
  if (statement >= chain.statements.size() || !std::holds_alternative<Step>(chain.statements[statement])) return 0;
  int number = 0;
  for (std::size_t i = 0; i <= statement; ++i) number += std::holds_alternative<Step>(chain.statements[i]);
  return number;
}

std::string step_words(const Chain& chain, std::size_t statement) {
  const int number = step_number(chain, statement);
  return number == 0 ? "the input"
                     : fmt::format("{} (step {})", form_of(std::get<Step>(chain.statements[statement])), number);
}

std::string product_name(const Chain& chain, std::size_t statement) {
  const auto* step = std::get_if<Step>(&chain.statements[statement]);
  if (step && step->inplace) return chain.names[Args(step->args).tensor(0)];
  const auto given = given_by(chain.statements[statement]);
  return given.empty() ? "" : chain.names[given[0]];
}

}  // namespace gradsmith
