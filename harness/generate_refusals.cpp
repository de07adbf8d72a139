#include <algorithm>
#include <array>

#include "harness/generator.hpp"
#include "harness/layout.hpp"

namespace gradsmith {

/// A tensor that passes the test, each with equal chance.
template <class Test>
std::optional<Value> Generator::some(Test test) {
  std::vector<Value> found;
  for (Value value = 0; value < draft_.values(); ++value)
    if (is_float(value) && test(value)) found.push_back(value);
  if (found.empty()) return std::nullopt;
  return choices_.pick(found);
}

/// Requires grad and may be written: neither a leaf nor a view of one, no view from a region or a split.
bool Generator::is_inner(Value value) const {
  const Model& model = draft_.model();
  const Origin& origin = draft_.origin(value);
  return is_float(value) && model.requires_grad(value) && !model.is_leaf(value) && !model.is_leaf(draft_.base(value)) &&
         !origin.multi && !origin.quiet && !origin.inference && !has_internal_overlap(draft_.info(value).layout);
}

/// The first result of one more step.
std::optional<Value> Generator::define(const Want& want) {
  if (!attempt(want, Goal::fine, 4)) return std::nullopt;
  for (const Value value : std::get<Step>(draft_.chain().statements.back()).results)
    if (value != dropped) return value;
  return std::nullopt;
}

bool Generator::write(Value target, Goal goal, int tries) {
  return attempt({.pool = &catalog_.writers, .inplace = 100, .self = target, .careless = true}, goal, tries);
}

/// E1.
bool Generator::leaf_write() {
  const auto leaf = some_leaf();
  return leaf && write(*leaf, Goal::refused);
}

/// E2.
bool Generator::leaf_view_write() {
  const auto leaf = some_leaf();
  const auto view = leaf ? define({.pool = &catalog_.single, .self = *leaf}) : std::nullopt;
  return view && write(*view, Goal::refused);
}

std::optional<Value> Generator::some_leaf() {
  return some([&](Value value) { return draft_.model().is_leaf(value); });
}

/// E5: a tensor some node keeps, or memory it shares, is written: as itself, through a view or a detached alias, in no_grad.
bool Generator::saved_write() {
  const bool quiet = choices_.chance(20);
  const auto saved = [&](Value value) {
    return draft_.model().is_saved(value) && (quiet || is_inner(value) || !draft_.model().requires_grad(value));
  };
  auto target = some(saved);
  for (int more = 0; !target && more < 2; ++more) {
    auto inner = some([&](Value value) { return is_inner(value); });
    if (!inner) inner = some_leaf();
    if (inner && define({.pool = &catalog_.pure, .inplace = 0, .self = *inner})) target = some(saved);
  }
  if (!target) return false;
  if (room() > 1 && choices_.chance(35)) {
    const auto alias = define({.pool = &catalog_.views, .self = *target});
    if (alias) target = alias;
  }
  if (quiet) draft_.put(RegionBegin{});
  const bool written = write(*target, Goal::poisoned, 6);
  if (quiet) draft_.put(RegionEnd{});
  return written;
}

/// E5 although no element in question is touched: one slice is kept, another of the same tensor is written.
bool Generator::sibling_write() {
  const auto source = some([&](Value value) { return is_inner(value) && slices(value) > 1; });
  if (!source) return false;
  const auto size = slices(*source), cut = choices_.between(1, size - 1);
  const bool overlapping = choices_.chance(35);
  const auto kept = slice(*source, 0, cut), written = slice(*source, overlapping ? cut - 1 : cut, size - cut);
  if (!kept || !written) return false;
  for (int tries = 0; tries < 6 && !draft_.model().is_saved(*kept); ++tries) {
    const auto mark = draft_.mark();
    if (!define({.pool = &catalog_.pure, .inplace = 0, .self = *kept})) return false;
    if (!draft_.model().is_saved(*kept)) draft_.cut(mark);
  }
  return write(*written, Goal::poisoned, 6);
}

/// E8 (E9 where nothing required grad).
bool Generator::multi_view_write() {
  const auto source = some([&](Value value) { return is_inner(value) || choices_.chance(40); });
  const auto view = source ? define({.pool = &catalog_.multi, .self = *source}) : std::nullopt;
  return view && write(*view, Goal::refused, 6);
}

/// E8i: the tensor that was split is written, then a piece is used (or left for backward to find).
bool Generator::stale_multi_view() {
  const auto source = some([&](Value value) { return is_inner(value); });
  const auto view = source ? define({.pool = &catalog_.multi, .self = *source}) : std::nullopt;
  if (!view || !write(*source, Goal::runs)) return false;
  if (choices_.chance(30) && draft_.poisoned()) return true;
  return attempt({.pool = &catalog_.pure, .inplace = 0, .self = *view}, Goal::refused, 4) || draft_.poisoned();
}

/// E9 and E11: a view taken in a region is written outside. E10 and E11i (`stale`): its base is, and the view is used.
bool Generator::region_view(RegionBegin::Kind kind, bool stale) {
  const auto source = some([&](Value value) { return is_inner(value) || (!stale && !draft_.origin(value).inference); });
  if (!source) return false;
  draft_.put(RegionBegin{kind});
  const auto view = define({.pool = &catalog_.single, .self = *source});
  draft_.put(RegionEnd{});
  if (!view) return false;
  if (!stale) return write(*view, Goal::refused, 8);
  if (!write(*source, Goal::runs)) return false;
  return attempt({.pool = &catalog_.pure, .inplace = 0, .self = *view}, Goal::refused, 4);
}

/// E17: memory made in an inference region is written outside. E16: it would have to be saved.
bool Generator::inference_tensor(bool written) {
  draft_.put(RegionBegin{RegionBegin::Kind::inference});
  const auto made = define({.pool = &catalog_.pure, .inplace = 0});
  draft_.put(RegionEnd{});
  if (!made) return false;
  if (written) return write(*made, Goal::refused);
  return attempt({.pool = &catalog_.binary, .other = *made}, Goal::refused, 12);
}

/// E13: an expanded tensor is written; in backward where the kernel does not look.
bool Generator::overlapping_target(bool in_backward) {
  const auto overlaps = [&](Value value) { return has_internal_overlap(draft_.info(value).layout); };
  auto target = some([&](Value value) { return !draft_.model().is_leaf(value) && overlaps(value) && !in_backward; });
  for (int tries = 0; !target && tries < 3; ++tries) {
    const auto source = some([&](Value value) { return is_inner(value) || (!in_backward && !draft_.model().requires_grad(value)); });
    if (!source) return false;
    const auto mark = draft_.mark();
    target = define({.pool = &catalog_.expand, .self = *source});
    if (!target || overlaps(*target)) continue;
    target.reset();
    draft_.cut(mark);
  }
  if (!target) return false;
  if (!in_backward) return write(*target, Goal::refused, 6);
  return attempt({.pool = &catalog_.unchecked, .inplace = 100, .self = *target, .careless = true}, Goal::poisoned, 6);
}

/// Size of the first dimension, along which `slice` cuts; 0 without one.
std::int64_t Generator::slices(Value value) const {
  const Shape& shape = draft_.shape(value);
  return shape.empty() || element_count(shape) == 0 ? 0 : shape[0];
}

std::optional<Value> Generator::slice(Value value, std::int64_t start, std::int64_t length) {
  if (!catalog_.narrow) return std::nullopt;
  const Value result = draft_.name_result();
  Step step{.op = catalog_.narrow, .results = {result}};
  step.args = {Ref{value}, 0.0, static_cast<double>(start), static_cast<double>(length)};
  if (draft_.put(std::move(step)) != Fate::fine) return std::nullopt;
  return result;
}

/// E14: of two overlapping slices, one is written with the other as operand.
bool Generator::partial_overlap() {
  const auto source = some([&](Value value) {
    return (is_inner(value) || !draft_.model().requires_grad(value)) && slices(value) > 1 &&
           is_dense(draft_.info(value).layout);
  });
  if (!source) return false;
  const auto length = slices(*source) - 1;
  const std::array slices = {slice(*source, 0, length), slice(*source, 1, length)};
  if (!slices[0] || !slices[1]) return false;
  const bool forward = choices_.chance(50);
  return attempt({.pool = &catalog_.binary, .inplace = 100, .self = *slices[forward], .other = *slices[!forward],
                  .careless = true}, Goal::refused, 12);
}

/// E18, E19.
bool Generator::misfit() { return attempt({.pool = &catalog_.binary, .inplace = 70, .grows = true}, Goal::refused, 12); }

/// E20: a bool tensor is the target of floating arithmetic.
bool Generator::integer_target() {
  const auto other = some([](Value) { return true; });
  const auto target = other ? extra_mask(draft_.shape(*other)) : std::nullopt;
  if (!target) return false;
  for (const Op* op : catalog_.writers) {
    if (op->name != "add" && op->name != "sub" && op->name != "mul") continue;
    Step step{.op = op, .inplace = true, .args = {Ref{*target}, Ref{*other}}};
    for (std::size_t i = 2; i < op->params.size(); ++i) step.args.push_back(op->params[i].preset);
    if (choices_.chance(60)) return refused(std::move(step));
  }
  return false;
}

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
  };
  close_regions();
  std::array<unsigned, recipes.size()> weights;
  for (std::size_t i = 0; i < recipes.size(); ++i) weights[i] = recipes[i].steps <= room() ? recipes[i].weight : 0;
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
