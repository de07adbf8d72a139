#include "harness/expect.hpp"

#include "harness/expect_state.hpp"

namespace gradsmith {

Model::Model(bool relations) : state_(std::make_unique<State>()) { state_->note_relations = relations; }
Model::Model(const Model& other) : state_(std::make_unique<State>(*other.state_)) {}
Model& Model::operator=(const Model& other) {
  *state_ = *other.state_;
  return *this;
}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

void Model::add(const Statement& statement, const Typed& typed) {
  State& s = *state_;
  const std::size_t index = s.statements++;
  s.kept.emplace_back();
  if (const auto* input = std::get_if<Input>(&statement)) {
    State::Tensor& t = s.define(input->name);
    t = {};
    t.counter = s.new_counter();
    t.own_flag = input->requires_grad;
  } else if (const auto* region = std::get_if<RegionBegin>(&statement)) {
    s.regions.push_back(region->kind);
  } else if (std::holds_alternative<RegionEnd>(statement)) {
    s.regions.pop_back();
  } else if (const auto* step = std::get_if<Step>(&statement)) {
    ++s.steps;
    try {
      s.add_step(*step, typed.steps[index], typed);
    } catch (const State::Raised& raised) {
      s.expectation.refusal = Refusal{{Phase::Kind::step, s.steps}, std::string(raised.id), {}};
    }
  } else if (const auto* backward = std::get_if<Backward>(&statement)) {
    ++s.backwards;
    try {
      s.backward(*backward, backward->roots, backward->cotangent.has_value(), typed);
    } catch (const State::Raised& raised) {
      if (backward->may_fail)
        s.enter_hole("U23");
      else
        s.expectation.refusal = Refusal{{Phase::Kind::backward, s.backwards}, std::string(raised.id), {}};
    }
    for (const Value result : backward->results) {
      if (result == dropped) continue;
      State::Tensor& t = s.define(result);
      t = {};
      t.inference = s.inference_mode();
      t.counter = t.inference ? -1 : s.new_counter();
    }
  }
}

void Model::finish(const Chain& chain, const Typed& typed) {
  State& s = *state_;
  if (s.expectation.refusal || has_backward(chain)) return;
  const auto roots = implied_roots();
  if (roots.empty()) return;
  ++s.backwards;
  try {
    s.backward({}, roots, true, typed);
  } catch (const State::Raised& raised) {
    s.expectation.refusal = Refusal{{Phase::Kind::backward, s.backwards}, std::string(raised.id), {}};
  }
}

const Expectation& Model::expectation() const { return state_->expectation; }
bool Model::requires_grad(Value value) const { return state_->requires_grad(state_->at(value)); }
bool Model::is_leaf(Value value) const {
  const State::Tensor& t = state_->at(value);
  return t.grad_fn == State::no_node && state_->requires_grad(t);
}

bool Model::is_saved(Value value) const {
  const int counter = state_->at(value).counter;
  for (const State::Node& node : state_->nodes)
    if (!node.freed)
      for (int i = 0; i < node.saved_count; ++i)
        if (node.saved[i].counter == counter && counter >= 0) return true;
  return false;
}

bool Model::is_overwritten(Value value) const {
  const int counter = state_->at(value).counter;
  for (const State::Node& node : state_->nodes)
    if (!node.freed)
      for (int i = 0; i < node.saved_count; ++i)
        if (counter >= 0 && node.saved[i].counter == counter && node.saved[i].version != state_->versions[counter])
          return true;
  return false;
}

std::optional<Refusal> Model::backward_would_refuse(const std::vector<Value>& roots) const {
  State copy = *state_;
  try {
    copy.backward({}, roots, true, {});
  } catch (const State::Raised& raised) {
    return Refusal{{Phase::Kind::backward, copy.backwards + 1}, std::string(raised.id), {}};
  }
  return std::nullopt;
}

std::vector<Value> Model::implied_roots() const {
  std::vector<Value> roots;
  for (Value value = 0; static_cast<std::size_t>(value) < state_->object.size(); ++value) {
    if (state_->object[value] != value) continue;  // undefined, or another name of one object
    const State::Tensor& t = state_->tensors[value];
    if (t.grad_fn != State::no_node) roots.push_back(value);
  }
  return roots;
}

const std::vector<WriteRelation>& Model::relations() const { return state_->relations; }
const std::vector<Retained>& Model::kept() const { return state_->kept; }

Expectation expect(const Chain& chain, const Typed& typed, std::vector<Value>* implied_roots,
                   std::vector<Retained>* kept) {
  Model model;
  for (std::size_t i = 0; i < chain.statements.size() && !model.expectation().refusal; ++i)
    model.add(chain.statements[i], typed);
  if (implied_roots && !model.expectation().refusal && !has_backward(chain)) *implied_roots = model.implied_roots();
  model.finish(chain, typed);
  if (kept) *kept = model.kept();
  return model.expectation();
}

}  // namespace gradsmith
