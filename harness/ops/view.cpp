// Views: other layouts of the operand's storage. They have no maths: the shape rule says where each element lies.
#include <algorithm>
#include <optional>

#include "harness/actuals.hpp"
#include "harness/ops/family.hpp"
#include "harness/ops/view_shapes.hpp"

namespace gradsmith::ops {
namespace {

at::Tensor call_slice(const Actuals& a) {
  std::optional<std::int64_t> start, end;
  if (!a.is_none(2)) start = a.integer(2);
  if (!a.is_none(3)) end = a.integer(3);
  return at::slice(a[0], a.dim(1), start, end, a.integer(4));
}

at::Tensor call_permute(const Actuals& a) {
  auto dims = a.integers(1);
  for (auto& d : dims) d += d < 0 ? a.rank(0) : 0;
  if (a.batched()) dims.push_back(a.rank(0));
  return at::permute(a[0], dims);
}

at::Tensor call_squeeze(const Actuals& a) {
  if (a.is_none(1) && !a.batched()) return at::squeeze(a[0]);
  auto dims = a.is_none(1) ? a.dims(1) : a.integers(1);
  if (a.batched() && a.rank(0) == 0) dims.clear();  // a 0-dim tensor has nothing to squeeze but the batch
  for (auto& d : dims) d += d < 0 ? std::max<std::int64_t>(a.rank(0), 1) : 0;
  return dims.size() == 1 ? at::squeeze(a[0], dims[0]) : at::squeeze(a[0], dims);
}

/// The diagonal stands last, before the batch dimension.
at::Tensor call_diagonal(const Actuals& a) {
  const at::Tensor out = at::diagonal(a[0], a.integer(1), a.dim(2), a.dim(3));
  return a.batched() ? out.transpose(-1, -2) : out;
}

}  // namespace

std::vector<const Op*> views() {
  static Op table[] = {
      {.name = "view",
       .params = {tensor(), integers("size")},
       .shape = view_shapes::view,
       .pure = [](const Actuals& a) { return a[0].view(a.sizes(1)); },
       .alias = Alias::view},
      {.name = "narrow",
       .params = {tensor(), integer("dim"), integer("start"), integer("length")},
       .shape = view_shapes::narrow,
       .pure = [](const Actuals& a) { return at::narrow(a[0], a.dim(1), a.integer(2), a.integer(3)); },
       .alias = Alias::view},
      {.name = "select",
       .params = {tensor(), integer("dim"), integer("index")},
       .shape = view_shapes::select,
       .pure = [](const Actuals& a) { return at::select(a[0], a.dim(1), a.integer(2)); },
       .alias = Alias::view},
      {.name = "slice",
       .params = {tensor(), integer("dim", 0.0, {}), integer("start", None{}, {}), integer("end", None{}, {}),
                  integer("step", 1.0, {})},
       .shape = view_shapes::slice,
       .pure = call_slice,
       .alias = Alias::view},
      {.name = "transpose",
       .params = {tensor(), integer("dim0"), integer("dim1")},
       .shape = view_shapes::transpose,
       .pure = [](const Actuals& a) { return at::transpose(a[0], a.dim(1), a.dim(2)); },
       .alias = Alias::view},
      {.name = "t",
       .params = {tensor()},
       .shape = view_shapes::t,
       .pure = [](const Actuals& a) { return at::t(a[0]); },
       .batched = [](const Actuals& a) { return at::transpose(a[0], 0, a.rank(0) < 2 ? 0 : 1); },
       .alias = Alias::view},
      {.name = "permute",
       .params = {tensor(), integers("dims")},
       .shape = view_shapes::permute,
       .pure = call_permute,
       .alias = Alias::view},
      {.name = "unsqueeze",
       .params = {tensor(), integer("dim")},
       .shape = view_shapes::unsqueeze,
       .pure =
           [](const Actuals& a) { return at::unsqueeze(a[0], a.integer(1) + (a.integer(1) < 0 ? a.rank(0) + 1 : 0)); },
       .alias = Alias::view},
      {.name = "squeeze",
       .params = {tensor(), integers("dim", None{}, {})},
       .shape = view_shapes::squeeze,
       .pure = call_squeeze,
       .alias = Alias::view},
      {.name = "expand",
       .params = {tensor(), integers("size")},
       .shape = view_shapes::expand,
       .pure = [](const Actuals& a) { return a[0].expand(a.sizes(1)); },
       .alias = Alias::view},
      {.name = "flatten",
       .params = {tensor(), integer("start_dim", 0.0, {}), integer("end_dim", -1.0, {})},
       .shape = view_shapes::flatten,
       .pure =
           [](const Actuals& a) {
             if (a.batched() && a.rank(0) == 0) return at::unsqueeze(a[0], 0);
             return at::flatten(a[0], a.dim(1), a.dim(2));
           },
       .alias = Alias::view,
       .composite = "flatten = reshape: its operand, view, or clone and _unsafe_view"},
      {.name = "diagonal",
       .params = {tensor(), integer("offset", 0.0, {}), integer("dim1", 0.0, {}), integer("dim2", 1.0, {})},
       .shape = view_shapes::diagonal,
       .pure = call_diagonal,
       .alias = Alias::view},
      {.name = "split",
       .params = {tensor(), integer("split_size"), integer("dim", 0.0, {})},
       .shape = view_shapes::split,
       .pure_many = [](const Actuals& a) { return at::split(a[0], a.integer(1), a.dim(2)); },
       .alias = Alias::multi_view},
      {.name = "chunk",
       .params = {tensor(), integer("chunks"), integer("dim", 0.0, {})},
       .shape = view_shapes::chunk,
       .pure_many = [](const Actuals& a) { return at::chunk(a[0], a.integer(1), a.dim(2)); },
       .alias = Alias::multi_view},
      {.name = "unbind",
       .params = {tensor(), integer("dim", 0.0, {})},
       .shape = view_shapes::unbind,
       .pure_many = [](const Actuals& a) { return at::unbind(a[0], a.dim(1)); },
       .alias = Alias::multi_view},
      {.name = "detach",
       .params = {tensor()},
       .shape = view_shapes::detach,
       .pure = [](const Actuals& a) { return a[0].detach(); },
       .alias = Alias::detach},
  };
  return entries(table);
}

}  // namespace gradsmith::ops
