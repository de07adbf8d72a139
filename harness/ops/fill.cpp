// Choosing, filling and copying: where, masked_fill, fill_, zero_, copy_, clone.
#include <cmath>
#include <set>

#include "harness/actuals.hpp"
#include "harness/layout.hpp"
#include "harness/ops/family.hpp"

namespace gradsmith::ops {
namespace {

Param value_operand() {
  Param param = tensor_or_number("value");
  param.choices = {0.5, -2.0, 0.0};
  return param;
}

/// LibTorch's condition on a fill value that is a tensor; it has no id.
std::string wrong_value(const Call& call, std::size_t value) {
  if (!call.tensors[value] || call.rank(value) == 0) return {};
  return std::string("the value of ") + std::string(call.op->name) + " must be a number or a 0-dim tensor";
}

/// A tensor value is written by copy_, which checks the target for self-overlap; a number is not (autograd.md 7.4).
Shaped fill_rule(const Call& call) {
  if (auto message = wrong_value(call, 1); !message.empty()) return invalid_step(message);
  if (call.tensors[0]->dtype == DType::i64 && call.args.is_number(1) && !(std::abs(call.args[1]) < 0x1p63))
    return invalid_step("the value of fill_ must fit into i64");
  const Layout& target = call.layout(0);
  if (call.tensors[1] && element_count(target.shape) > 0 && has_internal_overlap(target)) return refused_step("E13");
  return one_result(target);
}

/// Out of place the result is contiguous whatever the strides of self: the kernel starts from a contiguous clone.
Shaped masked_fill_rule(const Call& call) {
  if (auto message = wrong_value(call, 2); !message.empty()) return invalid_step(message);
  const auto shape = broadcast(call.shape(0), call.shape(1));
  if (!shape) return refused_step("E19");
  return contiguous_result(*shape);
}

/// The kernel writes masked elements only. Where elements of the target share a cell (accepted, autograd.md 7.4) a cell
/// is filled if any of them is masked.
void masked_fill(MathsCall& m) {
  const Broadcast in(m);
  auto& out = m.out[0];
  out.resize(in.count());
  std::vector<std::int64_t> cells;
  std::set<std::int64_t> filled;
  if (m.call.inplace && !is_dense(m.call.layout(0))) cells = storage_positions(m.call.layout(0));
  for (std::size_t e = 0; e < cells.size(); ++e)
    if (in.at(1, e).exact() != 0) filled.insert(cells[e]);
  for (std::size_t e = 0; e < out.size(); ++e) {
    const bool fill = cells.empty() ? in.at(1, e).exact() != 0 : filled.contains(cells[e]);
    out[e] = in.at(fill ? 2 : 0, e);
  }
}

/// `value` in the place of self, with self's history at gradient 0: what an in-place fill leaves.
at::Tensor instead_of(const at::Tensor& self, const at::Tensor& value) {
  return at::where(at::zeros_like(self, self.options().dtype(at::kBool).requires_grad(false)), self,
                   value.to(self.scalar_type()));
}

}  // namespace

std::vector<const Op*> fills() {
  static Op table[] = {
      {.name = "where",
       .params = {mask("condition"), tensor(), tensor("other")},
       .maths = elementwise3([](const Var& condition, const Var& x, const Var& y, const Args&) {
         return condition.exact() != 0 ? x : y;
       }),
       .pure = [](const Actuals& a) { return at::where(a[0], a[1], a[2]); },
       .saves = {{.reads = 0}}},
      {.name = "masked_fill",
       .params = {tensor(), mask("mask"), value_operand()},
       .shape = masked_fill_rule,
       .maths = masked_fill,
       .pure =
           [](const Actuals& a) {
             return a.is_tensor(2) ? a[0].masked_fill(a[1], a[2]) : a[0].masked_fill(a[1], a.number(2));
           },
       .inplace =
           [](const Actuals& a) {
             if (!a.is_tensor(2))
               a[0].masked_fill_(a[1], a.number(2));
             else if (a.batched())
               a[0].copy_(at::where(a[1], a[2], a[0]));  // a batched value is not 0-dim
             else
               a[0].masked_fill_(a[1], a[2]);
           },
       .batched =
           [](const Actuals& a) {
             return a.is_tensor(2) ? at::where(a[1], a[2], a[0]) : a[0].masked_fill(a[1], a.number(2));
           },
       .saves = {{.reads = 1}},
       .overlap_unchecked = true,
       .mixing = Mixing::into_self},
      {.name = "fill",
       .params = {tensor(), value_operand()},
       .shape = fill_rule,
       .maths = elementwise2([](const Var&, const Var& value, const Args&) { return value; }),
       .inplace =
           [](const Actuals& a) {
             if (!a.is_tensor(1))
               a[0].fill_(a.number(1));
             else if (a.batched())
               a[0].copy_(a[1].expand_as(a[0]));  // a batched value is not 0-dim
             else
               a[0].fill_(a[1]);
           },
       .functional =
           [](const Actuals& a) {
             return instead_of(a[0], a.is_tensor(1) ? a[1] : at::full({}, a.number(1), a[0].options().requires_grad(false)));
           },
       .overlap_unchecked = true,
       .memory = [](const Call& call, bool) -> Extra {  // a value from the target's own storage is copied first
         const bool own = call.args.is_tensor(1) && call.tensors[1]->storage == call.tensors[0]->storage;
         return {.most = own ? bytes_of(call, 1) : 0};
       },
       .mixing = Mixing::into_self,
       .twin_bitwise = false},  // the twin sums the value's gradient in another order
      {.name = "zero",
       .params = {tensor()},
       .maths = elementwise([](const Var&, const Args&) { return Var(0.0); }),
       .inplace = [](const Actuals& a) { a[0].zero_(); },
       .functional = [](const Actuals& a) { return instead_of(a[0], at::zeros({}, a[0].options().requires_grad(false))); },
       .overlap_unchecked = true},
      {.name = "copy",
       .params = {tensor(), tensor("src")},
       .maths = elementwise2([](const Var&, const Var& src, const Args&) { return src; }),
       .inplace = [](const Actuals& a) { a[0].copy_(a[1]); },
       .functional = [](const Actuals& a) { return instead_of(a[0], a[1]); },
       .mixing = Mixing::into_self,
       .twin_bitwise = false},  // as fill
      {.name = "clone",
       .params = {tensor()},
       .shape = like_operand,
       .maths = elementwise([](const Var& x, const Args&) { return x; }),
       .pure = [](const Actuals& a) { return a[0].clone(); }},
  };
  return entries(table);
}

}  // namespace gradsmith::ops
