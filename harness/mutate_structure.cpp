// Mutations of the order of things: growth, views and writes in between, regions, backward, pieces of other chains.
#include <algorithm>
#include <map>

#include "harness/generate.hpp"
#include "harness/mutate.hpp"
#include "harness/mutate_edit.hpp"

namespace gradsmith::mutating {
namespace {

/// Grows `chain`, in canonical names, at `position`; what followed follows. The number of statements that came in, or
/// nothing if none did.
std::size_t grow_at(Chain& chain, std::size_t position, Growth growth, int steps, Choices& choices) {
  const auto cut = chain.statements.begin() + static_cast<std::ptrdiff_t>(position);
  Chain prefix{{}, {chain.statements.begin(), cut}};
  const auto known = static_cast<Value>(defined_before(chain, position).size());
  prefix.names.assign(chain.names.begin(), chain.names.begin() + known);
  Chain grown = extend(prefix, choices, growth, steps);
  if (grown.statements.size() <= position) return 0;
  const std::size_t more = grown.statements.size() - position;
  const Value shift = static_cast<Value>(grown.names.size()) - known;
  for (auto at = cut; at != chain.statements.end(); ++at) {
    Statement statement = *at;
    const auto move = [&](Value& value) { value += value >= known ? shift : 0; };
    reducing::for_each_use(statement, move);
    if (auto* input = std::get_if<Input>(&statement)) move(input->name);
    if (auto* step = std::get_if<Step>(&statement)) std::for_each(step->results.begin(), step->results.end(), move);
    if (auto* backward = std::get_if<Backward>(&statement))
      std::for_each(backward->results.begin(), backward->results.end(), move);
    grown.statements.push_back(std::move(statement));
  }
  while (grown.names.size() < chain.names.size() + static_cast<std::size_t>(shift)) reducing::new_value(grown);
  chain = std::move(grown);
  return more;
}

/// Chains to take pieces from: always the same ones.
const std::vector<Chain>& pool() {
  static const std::vector<Chain> chains = [] {
    constexpr std::uint64_t count = 512;
    std::vector<Chain> out;
    for (std::uint64_t seed = 0; seed < count; ++seed) {
      Choices choices(seed);
      out.push_back(canonical_names(generate(choices)));
    }
    return out;
  }();
  return chains;
}

}  // namespace

bool grow_inside(Chain& chain, Choices& choices) {
  const std::size_t position = some_place(chain, choices);
  return grow_at(chain, position, Growth::step, static_cast<int>(choices.between(1, 2)), choices) > 0;
}

bool grow_at_end(Chain& chain, Choices& choices) {
  return grow_at(chain, chain.statements.size(), Growth::step, static_cast<int>(choices.between(1, 4)), choices) > 0;
}

/// A view of something, and a later reader or writer of that something takes the view instead.
bool insert_view(Chain& chain, Choices& choices) {
  const std::size_t position = some_place(chain, choices);
  const std::size_t more = grow_at(chain, position, Growth::view, 1, choices);
  if (more == 0) return false;
  const auto* view = std::get_if<Step>(&chain.statements[position + more - 1]);
  const auto* source = view ? std::get_if<Ref>(&view->args[0]) : nullptr;
  if (!source || view->results.empty() || view->results[0] == dropped) return true;
  std::vector<Value*> uses;
  for (std::size_t i = position + more; i < chain.statements.size(); ++i)
    if (auto* step = std::get_if<Step>(&chain.statements[i]))
      for_each_ref(*step, [&](Value& value) {
        if (value == source->value) uses.push_back(&value);
      });
  if (uses.empty() || choices.chance(25)) return true;
  const Value taken = view->results[0];
  const Chain without = chain;
  *uses[choices.below(uses.size())] = taken;
  if (!reducing::mend(chain)) chain = without;
  return true;
}

bool continue_from(Chain& chain, Growth growth, int steps, Choices& choices) {
  while (step_count(chain) > longest_mutant - 3) chain.statements.pop_back();
  std::ptrdiff_t open = 0;
  for (const Statement& statement : chain.statements)
    open += std::holds_alternative<RegionBegin>(statement) - std::holds_alternative<RegionEnd>(statement);
  for (; open > 0; --open) chain.statements.push_back(RegionEnd{});
  chain = canonical_names(chain);
  return grow_at(chain, chain.statements.size(), growth, steps, choices) > 0;
}

/// Keeps the beginning and draws the end anew.
bool regrow(Chain& chain, Choices& choices) {
  chain.statements.resize(some_place(chain, choices));
  return continue_from(chain, Growth::step, static_cast<int>(choices.between(2, 6)), choices);
}

/// Many ops on what the chain has come to, at its end or before its last backward.
bool probe(Chain& chain, Choices& choices) {
  std::size_t position = chain.statements.size();
  if (position > 0 && std::holds_alternative<Backward>(chain.statements.back()) && choices.chance(70)) --position;
  return grow_at(chain, position, Growth::probe, static_cast<int>(choices.between(3, 8)), choices) > 0;
}

bool insert_write(Chain& chain, Choices& choices) {
  return grow_at(chain, some_place(chain, choices), Growth::write, 1, choices) > 0;
}

/// What makes LibTorch refuse, at the end.
bool poison(Chain& chain, Choices& choices) {
  while (!chain.statements.empty() && std::holds_alternative<Backward>(chain.statements.back()))
    chain.statements.pop_back();
  chain = canonical_names(chain);
  return grow_at(chain, chain.statements.size(), Growth::refusal, 1, choices) > 0;
}

/// A write goes to the other side of a statement that concerns the same tensor, mostly; else anything anywhere.
bool move_statement(Chain& chain, Choices& choices) {
  const auto from = some<Step>(chain, choices);
  if (!from) return false;
  std::vector<std::size_t> places;
  Value target = dropped;
  for_each_ref(std::get<Step>(chain.statements[*from]), [&](Value& value) {
    if (target == dropped) target = value;
  });
  for (std::size_t i = 0; i < chain.statements.size(); ++i) {
    bool concerned = choices.chance(15);
    Statement statement = chain.statements[i];
    reducing::for_each_use(statement, [&](Value& value) { concerned |= value == target; });
    if (concerned && i != *from) places.push_back(i);
  }
  if (places.empty()) return false;
  const auto first = chain.statements.begin();
  const auto a = static_cast<std::ptrdiff_t>(*from), b = static_cast<std::ptrdiff_t>(choices.pick(places));
  if (a < b) std::rotate(first + a, first + a + 1, first + b + 1);
  else std::rotate(first + b, first + a, first + a + 1);
  return true;
}

bool add_region(Chain& chain, Choices& choices) {
  const auto at = some<Step>(chain, choices);
  if (!at) return false;
  const auto kind = choices.chance(75) ? RegionBegin::Kind::no_grad : RegionBegin::Kind::inference;
  std::size_t last = *at;
  if (last + 1 < chain.statements.size() && choices.chance(30) && std::holds_alternative<Step>(chain.statements[last + 1]))
    ++last;
  insert(chain, last + 1, RegionEnd{});
  insert(chain, *at, RegionBegin{kind});
  return true;
}

bool drop_region(Chain& chain, Choices& choices) {
  const auto at = some<RegionBegin>(chain, choices);
  if (!at) return false;
  const std::size_t end = reducing::region_end(chain, *at);
  chain.statements.erase(chain.statements.begin() + static_cast<std::ptrdiff_t>(end));
  chain.statements.erase(chain.statements.begin() + static_cast<std::ptrdiff_t>(*at));
  return true;
}

bool add_backward(Chain& chain, Choices& choices) {
  const std::size_t position = some_place(chain, choices);
  if (choices.chance(70)) return grow_at(chain, position, Growth::backward, 1, choices) > 0;
  const auto values = defined_before(chain, position);
  if (values.empty()) return false;
  insert(chain, position, draw_backward(values, choices));
  return true;
}

bool change_backward(Chain& chain, Choices& choices) {
  const auto at = some<Backward>(chain, choices);
  if (!at) return false;
  auto& backward = std::get<Backward>(chain.statements[*at]);
  switch (choices.below(4)) {
    case 0: backward.retain_graph = !backward.retain_graph; break;
    case 1: backward.may_fail = !backward.may_fail; break;
    case 2: backward.cotangent = Spec{.seed = choices.below(100)}; break;
    default: {
      Backward again = backward;
      backward.retain_graph = true;
      for (Value& result : again.results)
        if (result != dropped) result = reducing::new_value(chain);
      insert(chain, *at + 1 + choices.below(chain.statements.size() - *at), again);
    }
  }
  return true;
}

bool splice(Chain& chain, const Chain& other, Choices& choices) {
  const auto steps = positions_of<Step>(other);
  if (steps.empty()) return false;
  const std::size_t first = choices.below(steps.size()), count = std::min(steps.size() - first, choices.below(4) + 1);
  std::size_t position = some_place(chain, choices);
  const auto values = defined_before(chain, position);
  if (values.empty()) return false;
  std::map<Value, Value> renamed;
  for (std::size_t k = 0; k < count; ++k, ++position) {
    Step step = std::get<Step>(other.statements[steps[first + k]]);
    for_each_ref(step, [&](Value& value) {
      const auto at = renamed.find(value);
      value = renamed[value] = at == renamed.end() ? values[choices.below(values.size())] : at->second;
    });
    for (Value& result : step.results)
      if (result != dropped) result = renamed[result] = reducing::new_value(chain);
    insert(chain, position, std::move(step));
  }
  return reducing::mend(chain);
}

bool splice_from_pool(Chain& chain, Choices& choices) {
  return splice(chain, pool()[choices.below(pool().size())], choices);
}

/// A random candidate of a random reduction pass: drops a step, simplifies a layout, ...
bool simplify(Chain& chain, Choices& choices) {
  const Pass& pass = passes()[choices.below(passes().size())];
  std::uint64_t skip = choices.below(8);
  std::optional<Chain> taken;
  pass.candidates(chain, [&](Chain&& candidate) {
    taken = std::move(candidate);
    return skip-- == 0;
  });
  if (!taken) return false;
  chain = std::move(*taken);
  return true;
}

}  // namespace gradsmith::mutating
