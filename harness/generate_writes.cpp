// Refusals by writes: leaves, views of them, saved tensors, views from splits and regions, overlapping targets.
#include <algorithm>
#include <array>

#include "harness/generator.hpp"
#include "harness/layout.hpp"

namespace gradsmith {

/// Requires grad and may be written: neither a leaf nor a view of one, no view from a region or a split.
bool Generator::is_inner(Value value) const {
  const Model& model = draft_.model();
  const DraftOrigin& origin = draft_.origin(value);
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
    const auto source = some([&](Value value) {
      return is_inner(value) || (!in_backward && !draft_.model().requires_grad(value));
    });
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

}  // namespace gradsmith
