// Refusals by shapes, types, attributes and `backward` statements, and the list of all recipes.
#include <algorithm>
#include <array>

#include "harness/generator.hpp"

namespace gradsmith {

/// E18, E19.
bool Generator::misfit() { return attempt({.pool = &catalog_.binary, .inplace = 70, .grows = true}, Goal::refused, 12); }

/// E20: a bool tensor is the target of floating arithmetic.
bool Generator::integer_target() {
  const auto other = some([](Value) { return true; });
  const auto target = other ? extra_mask(draft_.shape(*other)) : std::nullopt;
  if (!target) return false;
  for (const Op* op : catalog_.writers) {
    if (op->name != "add" && op->name != "mul") continue;  // sub has an error of its own for bool
    Step step{.op = op, .inplace = true, .args = {Ref{*target}, Ref{*other}}};
    for (std::size_t i = 2; i < op->params.size(); ++i) step.args.push_back(op->params[i].preset);
    if (choices_.chance(60)) return refused(std::move(step));
  }
  return false;
}

/// E41.
bool Generator::mixed_operands() { return attempt({.pool = &catalog_.uniform}, Goal::refused, 16); }

/// E6: backward twice.
bool Generator::freed_buffers() {
  Backward backward{.roots = some_roots(), .cotangent = Spec{.seed = choices_.below(1 << 16)}};
  if (backward.roots.empty() || draft_.put(backward) != Fate::fine) return false;
  return refused(std::move(backward));
}

/// E21, E22, E23: arguments or forms whose derivative is missing.
bool Generator::sour_arguments() {
  return attempt({.pool = &catalog_.sour, .inplace = 90, .wild = true}, Goal::poisoned, 16);
}

/// E24, found by trying attributes outside the legal choices.
bool Generator::bad_argument() { return attempt({.pool = &catalog_.ruled, .wild = true}, Goal::refused, 16); }

/// A tensor that requires no gradient, an input made for it if need be.
Value Generator::ungraded() {
  if (const auto found = some([&](Value value) { return !draft_.model().requires_grad(value); })) return *found;
  Input made = input(fresh_shape(), {});
  made.requires_grad = false;
  const Value name = made.name;
  draft_.put(std::move(made));
  return name;
}

/// E28.
bool Generator::ungraded_root() { return refused(Backward{.roots = {ungraded()}, .cotangent = Spec{}}); }

/// E29.
bool Generator::missing_cotangent() {
  const auto root = some([&](Value value) {
    return draft_.model().requires_grad(value) && element_count(draft_.shape(value)) != 1;
  });
  return root && refused(Backward{.roots = {*root}});
}

/// E30.
bool Generator::unused_wrt() {
  const auto roots = some_roots();
  auto wrt = some([&](Value value) { return draft_.model().requires_grad(value); });
  if (roots.empty()) return false;
  if (!wrt || choices_.chance(50)) {
    Input made = input(fresh_shape(), {});
    made.requires_grad = true;
    wrt = made.name;
    draft_.put(std::move(made));
  }
  return refused(Backward{.roots = roots, .wrt = std::vector<Value>{*wrt}, .cotangent = Spec{}});
}

/// E31.
bool Generator::ungraded_wrt() {
  const auto roots = some_roots();
  if (roots.empty()) return false;
  const Value wrt = ungraded();
  return refused(Backward{.roots = roots, .wrt = std::vector<Value>{wrt}, .cotangent = Spec{}});
}

/// Makes LibTorch refuse the chain: now (then it is at its end), or in a backward yet to come (then it is poisoned).
bool Generator::refuse() {
  using G = Generator;
  using Kind = RegionBegin::Kind;
  struct Recipe {
    unsigned weight;
    int steps;  // at most
    bool (*apply)(G&);
    bool mixed = false;  // needs floating tensors of several types
  };
  static constexpr std::array recipes = {
      Recipe{40, 3, [](G& g) { return g.saved_write(); }},
      Recipe{6, 4, [](G& g) { return g.sibling_write(); }},
      Recipe{5, 1, [](G& g) { return g.leaf_write(); }},
      Recipe{4, 2, [](G& g) { return g.leaf_view_write(); }},
      Recipe{6, 2, [](G& g) { return g.multi_view_write(); }},
      Recipe{5, 3, [](G& g) { return g.stale_multi_view(); }},
      Recipe{4, 2, [](G& g) { return g.region_view(Kind::no_grad, false); }},
      Recipe{4, 3, [](G& g) { return g.region_view(Kind::no_grad, true); }},
      Recipe{3, 2, [](G& g) { return g.region_view(Kind::inference, false); }},
      Recipe{3, 3, [](G& g) { return g.region_view(Kind::inference, true); }},
      Recipe{3, 2, [](G& g) { return g.inference_tensor(true); }},
      Recipe{3, 2, [](G& g) { return g.inference_tensor(false); }},
      Recipe{4, 2, [](G& g) { return g.overlapping_target(false); }},
      Recipe{3, 2, [](G& g) { return g.overlapping_target(true); }},
      Recipe{4, 3, [](G& g) { return g.partial_overlap(); }},
      Recipe{6, 1, [](G& g) { return g.misfit(); }},
      Recipe{2, 1, [](G& g) { return g.integer_target(); }},
      Recipe{5, 0, [](G& g) { return g.freed_buffers(); }},
      Recipe{7, 1, [](G& g) { return g.sour_arguments(); }},
      Recipe{3, 1, [](G& g) { return g.bad_argument(); }},
      Recipe{2, 0, [](G& g) { return g.missing_cotangent(); }},
      Recipe{3, 0, [](G& g) { return g.unused_wrt(); }},
      Recipe{3, 0, [](G& g) { return g.ungraded_wrt(); }},
      Recipe{3, 0, [](G& g) { return g.ungraded_root(); }},  // always works
      Recipe{4, 1, [](G& g) { return g.mixed_operands(); }, true},
  };
  close_regions();
  std::array<unsigned, recipes.size()> weights;
  for (std::size_t i = 0; i < recipes.size(); ++i)
    weights[i] = recipes[i].steps <= room() && recipes[i].mixed <= knobs_.mixed ? recipes[i].weight : 0;
  while (std::any_of(weights.begin(), weights.end(), [](unsigned weight) { return weight > 0; })) {
    const auto chosen = choices_.weighted(weights);
    const auto mark = draft_.mark();
    if (recipes[chosen].apply(*this)) {
      poisoned_ = !draft_.ended();
      return true;
    }
    draft_.cut(mark);
    weights[chosen] = 0;
  }
  return false;
}

}  // namespace gradsmith
