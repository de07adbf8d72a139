// Growth from a chain that is there already: what mutation adds is as tame as what generation makes.
#include <algorithm>

#include "harness/generator.hpp"
#include "harness/reduce.hpp"

namespace gradsmith {
namespace {

/// Regions open at the end.
std::ptrdiff_t depth(const Chain& chain) {
  std::ptrdiff_t open = 0;
  for (const Statement& statement : chain.statements)
    open += std::holds_alternative<RegionBegin>(statement) - std::holds_alternative<RegionEnd>(statement);
  return open;
}

}  // namespace

Chain Generator::extend(const Chain& prefix, Growth growth, int steps) {
  for (const Statement& statement : prefix.statements) {
    const auto name = [&](Value value) { return value == dropped || draft_.name_result() == value; };
    bool same = true;
    if (const auto* input = std::get_if<Input>(&statement)) {
      same = draft_.name_input() == input->name;
      edges_ |= input->values.kind == Spec::Kind::edges;
    }
    if (const auto* step = std::get_if<Step>(&statement))
      same = std::all_of(step->results.begin(), step->results.end(), name);
    if (const auto* backward = std::get_if<Backward>(&statement)) {
      same = std::all_of(backward->results.begin(), backward->results.end(), name);
      freed_ |= !backward->retain_graph;
    }
    if (!same || draft_.put(statement) != Fate::fine) return prefix;
  }
  const std::ptrdiff_t open = depth(draft_.chain());
  if (freed_) draft_.bury();
  poisoned_ = draft_.poisoned();
  switch (growth) {
    case Growth::step:
      for (int i = 0; i < steps && !draft_.ended(); ++i) grow();
      break;
    case Growth::probe: probe(steps); break;
    case Growth::view: attempt({.pool = &catalog_.views}, Goal::fine, 6); break;
    case Growth::write: attempt({.pool = &catalog_.writers, .inplace = 100}, Goal::fine, 6); break;
    case Growth::backward:
      if (open == 0 && !poisoned_) put_backward(choices_.chance(30));
      break;
    case Growth::refusal:
      if (!poisoned_) refuse();
      break;
  }
  while (!draft_.ended() && depth(draft_.chain()) > open) draft_.put(RegionEnd{});
  return draft_.chain();
}

/// One op after another on tensors whose memory has seen something: each step meets the history of the prefix.
void Generator::probe(int steps) {
  std::vector<Value> all, hot;
  for (Value value = 0; value < draft_.values(); ++value) {
    if (!is_float(value)) continue;
    all.push_back(value);
    if (draft_.shared(value) || draft_.model().is_saved(value)) hot.push_back(value);
  }
  if (hot.empty()) hot = all;
  for (int i = 0; i < steps && !hot.empty() && !draft_.ended(); ++i)
    attempt({.pool = choices_.chance(20) ? &catalog_.writers : &catalog_.pure, .inplace = 20, .self = choices_.pick(hot)}, Goal::fine, 4);
}

Chain extend(const Chain& prefix, Choices& choices, Growth growth, int steps, const Knobs& knobs) {
  Knobs longer = knobs;
  longer.dtype = floating_type(prefix);
  longer.mixed = floating_types(prefix).size() > 1;
  longer.max_steps = step_count(prefix) + std::max(steps, 4);  // room for a recipe
  static const Catalog all(all_ops());
  const Chain start = canonical_names(prefix);
  if (!knobs.ops.empty()) return Generator(choices, longer, Catalog(knobs.ops)).extend(start, growth, steps);
  return Generator(choices, longer, all).extend(start, growth, steps);
}

}  // namespace gradsmith
