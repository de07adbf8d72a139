// Growth from a chain that is there already: what mutation adds is as tame as what generation makes.
#include <algorithm>
#include <array>

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
    case Growth::history: pursue(steps); break;
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

/// A backward from this root that mostly keeps the graph for another.
bool Generator::repeat_backward(Value root) {
  Backward backward{.roots = {root}, .retain_graph = choices_.chance(75)};
  if (element_count(draft_.shape(root)) != 1 || choices_.chance(70)) backward.cotangent = Spec{.seed = choices_.below(1 << 16)};
  const auto mark = draft_.mark();
  if (draft_.put(backward) == Fate::fine) {
    freed_ |= !backward.retain_graph;
    draft_.bury();
    return true;
  }
  draft_.cut(mark);
  return false;
}

/// Views, writes, reads and backwards of one memory, each after those before it; then what it has come to is tried: some ops
/// read it, what is saved is overwritten, the graph runs more than once.
void Generator::pursue(int steps) {
  const std::vector<unsigned> ages = ages_of_memory(draft_.chain(), draft_.typed());
  const auto oldest = std::max_element(ages.begin(), ages.end());
  if (oldest == ages.end()) return;
  const auto aliases = [&, memory = static_cast<int>(oldest - ages.begin())] {
    std::vector<Value> all;
    for (Value value = 0; value < draft_.values(); ++value)
      if (is_float(value) && draft_.info(value).storage == memory) all.push_back(value);
    return all;
  };
  if (aliases().empty()) return;  // it is a gradient's
  const auto alias = [&] {
    const std::vector<Value> all = aliases();
    return choices_.pick(all);
  };
  const auto again = [&] {
    const auto roots = draft_.roots();
    return draft_.grad_mode() && !roots.empty() && repeat_backward(choices_.chance(70) ? roots.back() : choices_.pick(roots));
  };
  const Value known = draft_.values();
  constexpr std::array<unsigned, 3> usual{50, 35, 15};
  for (int i = 0; i < steps && !draft_.ended(); ++i) {
    const std::size_t kind = choices_.weighted(usual);
    if (kind == 0) rewrite(alias(), Goal::fine);
    if (kind == 1) attempt({.pool = &catalog_.views, .self = alias()}, Goal::fine, 4);
    if (kind == 2) again();
  }
  for (auto reads = choices_.between(1, 4); reads > 0; --reads)
    if (choices_.chance(20)) rewrite(alias(), Goal::fine);
    else attempt({.pool = &catalog_.pure, .inplace = 0, .self = alias()}, Goal::fine, 3);
  if (!draft_.grad_mode()) return;
  if (choices_.chance(25) && spoil(aliases(), known)) return;
  // What comes after the last backward is not judged.
  if (has_backward(draft_.chain()) ? choices_.chance(90) : choices_.chance(25))
    for (auto times = choices_.between(1, 3); times > 0 && again(); --times) {}
}

/// In place, in a region where it must be or now and then.
bool Generator::rewrite(Value target, Goal goal) {
  const bool plain = is_inner(target) || !draft_.model().requires_grad(target);
  const bool quiet = draft_.grad_mode() && choices_.chance(plain ? 12 : 90);
  const auto mark = draft_.mark();
  if (quiet) draft_.put(RegionBegin{});
  const bool written = attempt({.pool = &catalog_.writers, .inplace = 100, .self = target}, goal, 4);
  if (quiet) draft_.put(RegionEnd{});
  if (!written) draft_.cut(mark);
  return written;
}

/// A backward is refused for a write of what some node keeps: one of these tensors, or one named from `first` on.
bool Generator::spoil(std::vector<Value> targets, Value first) {
  for (Value value = first; value < draft_.values(); ++value)
    if (is_float(value)) targets.push_back(value);
  std::erase_if(targets, [&](Value value) { return !draft_.model().is_saved(value); });
  if (targets.empty() || !rewrite(choices_.pick(targets), Goal::poisoned)) return false;
  poisoned_ = true;
  if (const auto roots = draft_.roots(); has_backward(draft_.chain()) && !roots.empty())
    draft_.put(Backward{.roots = roots, .cotangent = Spec{}});
  return true;
}

std::vector<unsigned> ages_of_memory(const Chain& chain, const Typed& typed) {
  std::vector<unsigned> ages;
  const auto age = [&](Value value, unsigned more) {
    const auto storage = static_cast<std::size_t>(typed.values[value].storage);
    if (ages.size() <= storage) ages.resize(storage + 1);
    if (is_floating(typed.values[value].dtype)) ages[storage] += more;
  };
  for (const Statement& statement : chain.statements) {
    if (const auto* input = std::get_if<Input>(&statement)) age(input->name, 1);
    const auto* step = std::get_if<Step>(&statement);
    if (!step) continue;
    if (step->inplace) age(Args(step->args).tensor(0), 2);
    for (const Value result : step->results)
      if (result != dropped && typed.known[result]) age(result, 1);
  }
  return ages;
}

Chain extend(const Chain& prefix, Choices& choices, Growth growth, int steps, const Knobs& knobs) {
  Knobs longer = knobs;
  longer.dtype = floating_type(prefix);
  longer.mixed = types_of(prefix).size() > 1;
  longer.max_steps = step_count(prefix) + std::max(steps, 4);  // room for a recipe
  static const Catalog all(all_ops());
  const Chain start = canonical_names(prefix);
  if (!knobs.ops.empty()) return Generator(choices, longer, Catalog(knobs.ops)).extend(start, growth, steps);
  return Generator(choices, longer, all).extend(start, growth, steps);
}

}  // namespace gradsmith
