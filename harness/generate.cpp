// How a chain grows: steps, regions, backward statements, and where it is refused.
#include "harness/generate.hpp"

#include <algorithm>

#include "harness/generator.hpp"

namespace gradsmith {

Catalog::Catalog(const std::vector<const Op*>& ops) {
  for (const Op* op : ops) {
    const auto is_list = [](const Param& param) { return param.kind == Kind::tensors; };
    if (std::any_of(op->params.begin(), op->params.end(), is_list)) continue;
    if (op->mixing == Mixing::named) {
      casts.push_back(op);
      continue;
    }
    if (op->mixing == Mixing::refused || op->mixing == Mixing::refused_first) uniform.push_back(op);
    if (op->alias == Alias::none) plain.push_back(op);
    if (op->alias != Alias::none) views.push_back(op);
    if (op->alias == Alias::view) single.push_back(op);
    if (op->alias == Alias::multi_view) multi.push_back(op);
    if (op->inplace) writers.push_back(op);
    if (op->inplace && op->overlap_unchecked) unchecked.push_back(op);
    if (op->backward_refusal) sour.push_back(op);
    if (op->alias == Alias::none && (op->pure || op->pure_many)) pure.push_back(op);
    const auto operands = std::count_if(op->params.begin(), op->params.end(), [](const Param& param) {
      return takes_tensor(param.kind) && param.differentiable;
    });
    if (operands > 1) binary.push_back(op);
    if (op->name == "narrow") narrow = op;
    if (op->name == "expand") expand.push_back(op);
    const auto is_attribute = [](const Param& param) { return !takes_tensor(param.kind); };
    if (op->alias == Alias::none && op->shape && std::any_of(op->params.begin(), op->params.end(), is_attribute))
      ruled.push_back(op);
  }
}

/// One step that satisfies `want` and does what `goal` says, kept; else the draft is as before.
bool Generator::attempt(const Want& want, Goal goal, int tries) {
  if (want.pool->empty()) return false;
  for (; tries > 0; --tries) {
    const Op& op = *choices_.pick(*want.pool);
    const bool has_pure = op.pure || op.pure_many;
    bool inplace = op.inplace && (!has_pure || choices_.chance(want.inplace));
    if (want.inplace == 100 && !inplace) continue;
    if (want.inplace == 0 && inplace) continue;
    const auto mark = draft_.mark();
    auto step = build(op, inplace, want);
    if (!step) {
      draft_.cut(mark);
      continue;
    }
    const bool may_poison = inplace || op.backward_refusal || freed_;
    const Fate fate = draft_.put(std::move(*step));
    bool kept = fate == Fate::fine;
    if (goal == Goal::fine) kept = kept && (poisoned_ || !may_poison || !draft_.poisoned());
    else if (goal == Goal::refused) kept = fate == Fate::refused;
    else if (goal == Goal::poisoned) kept = kept && draft_.poisoned();
    if (kept) return true;
    draft_.cut(mark);
  }
  return false;
}

/// One more step that leaves the chain acceptable (or, when it is poisoned, that does not refuse before backward).
bool Generator::grow() {
  if (!draft_.grad_mode()) {
    if (choices_.chance(45)) draft_.put(RegionEnd{});
  } else if (choices_.chance(knobs_.regions)) {
    draft_.put(RegionBegin{choices_.chance(70) ? RegionBegin::Kind::no_grad : RegionBegin::Kind::inference});
  }
  if (freed_ && choices_.chance(30)) {  // what a backward has freed may be written
    const auto kept = some([&](Value value) {
      return (is_inner(value) || !draft_.model().requires_grad(value)) && draft_.shared(value);
    });
    if (kept && write(*kept, Goal::fine)) return true;
  }
  if (knobs_.mixed && choices_.chance(10) && attempt({.pool = &catalog_.casts}, Goal::fine, 2)) return true;
  if (choices_.chance(knobs_.views) && attempt({.pool = &catalog_.views}, Goal::fine, 4)) return true;
  const unsigned inplace = choices_.chance(knobs_.inplace) ? 100 : 0;
  return attempt({.pool = inplace ? &catalog_.writers : &catalog_.pure, .inplace = inplace}, Goal::fine, 4) ||
         attempt({.pool = &catalog_.plain}, Goal::fine, 8);
}

void Generator::close_regions() {
  while (!draft_.grad_mode()) draft_.put(RegionEnd{});
}

std::vector<Value> Generator::some_roots() {
  std::vector<Value> roots = draft_.roots();
  if (choices_.chance(50)) std::erase_if(roots, [&](Value) { return choices_.chance(40); });
  if (roots.empty()) roots = draft_.roots();
  return roots;
}

/// An explicit backward that LibTorch accepts. In the middle of a chain, what it freed is not touched again.
bool Generator::put_backward(bool last) {
  for (int tries = 0; tries < 3; ++tries) {
    const auto mark = draft_.mark();
    Backward backward{.roots = some_roots()};
    if (backward.roots.empty()) return false;
    const bool single = backward.roots.size() == 1 && element_count(draft_.shape(backward.roots[0])) == 1;
    if (!single || choices_.chance(70)) backward.cotangent = Spec{.seed = choices_.below(1 << 16)};
    backward.retain_graph = choices_.chance(last ? 15 : 40);
    if (choices_.chance(25)) {
      auto& wrt = backward.wrt.emplace();
      for (Value value = 0; value < draft_.values(); ++value)
        if (draft_.model().is_leaf(value) ? choices_.chance(70) : draft_.model().requires_grad(value) && choices_.chance(15))
          wrt.push_back(value);
      if (wrt.empty()) backward.wrt.reset();
      else if (choices_.chance(50))
        for (std::size_t i = 0; i < wrt.size(); ++i) backward.results.push_back(draft_.name_result());
    }
    if (draft_.put(backward) == Fate::fine) {
      freed_ |= !backward.retain_graph;
      if (!last) draft_.bury();
      return true;
    }
    draft_.cut(mark);
  }
  return false;
}

/// A backward that is not the last: what its graph kept may then be written.
void Generator::middle_backward() {
  std::optional<Value> written;
  if (room() > 4 && choices_.chance(40)) {  // of one tensor, a slice is kept and another will be written
    const auto source = some([&](Value value) { return is_inner(value) && slices(value) > 1; });
    const auto kept = source ? slice(*source, 0, 1) : std::nullopt;
    if (kept && define({.pool = &catalog_.pure, .inplace = 0, .self = *kept}))
      written = slice(*source, choices_.between(0, 1), slices(*source) - 1);
  }
  if (put_backward(false) && freed_ && written) write(*written, Goal::fine);
}

/// The end of a chain that nothing has refused yet.
void Generator::finish() {
  close_regions();
  if (to_refuse_ && !(poisoned_ && draft_.poisoned())) {
    poisoned_ = false;
    refuse();
    if (draft_.ended()) return;
  }
  // A chain without roots would be judged by its values alone: let a leaf be used.
  if (!poisoned_ && !has_backward(draft_.chain()) && draft_.roots().empty() && step_count(draft_.chain()) < knobs_.max_steps)
    if (const auto leaf = some_leaf()) attempt({.pool = &catalog_.pure, .inplace = 0, .self = *leaf}, Goal::fine, 16);
  if (!explicit_ && !has_backward(draft_.chain())) return;
  if (!poisoned_) {
    put_backward(true);
  } else {
    draft_.put(Backward{.roots = draft_.roots(), .cotangent = Spec{.seed = choices_.below(1 << 16)}});
  }
}

Chain Generator::run() {
  to_refuse_ = choices_.chance(knobs_.refused);
  explicit_ = choices_.chance(25);
  const int least = std::min(knobs_.max_steps, 2), room = knobs_.max_steps - least;
  const auto length = static_cast<int>(least + choices_.between(0, room / 2) + choices_.between(0, room - room / 2));
  constexpr int recipe = 3;  // steps a refusal usually takes at most
  const int most = std::max(0, length - recipe);
  const int refuse_at = to_refuse_ ? static_cast<int>(choices_.between(std::min(length / 3, most), most)) : -1;
  const int backward_at = explicit_ && choices_.chance(60) ? static_cast<int>(choices_.between(1, length)) : -1;
  inputs();
  int steps = 0;
  for (int failed = 0; steps < length && failed < 3 && !draft_.ended(); steps = step_count(draft_.chain())) {
    if (steps >= refuse_at && to_refuse_ && !poisoned_) {
      refuse();
      continue;
    }
    if (steps == backward_at && !poisoned_ && draft_.grad_mode() && !has_backward(draft_.chain())) middle_backward();
    if (grow()) continue;
    ++failed;  // nothing fits: no tensor is in any domain, or all are written to death
    extra_input(fresh_shape(), {});
  }
  if (!draft_.ended()) finish();
  return draft_.close();
}

Chain generate(Choices& choices, const Knobs& knobs) {
  if (!knobs.ops.empty()) return Generator(choices, knobs, Catalog(knobs.ops)).run();
  static const Catalog all(all_ops());
  return Generator(choices, knobs, all).run();
}

}  // namespace gradsmith
