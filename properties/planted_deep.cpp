// Planted faults that need a history: right for every op alone, wrong only after three and more steps that concern the same
// memory. What coverage feedback is for.
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/function.h>

#include "properties/planted.hpp"
#include "properties/planted_ops.hpp"

namespace gradsmith::plant {
namespace {

using T = const at::Tensor&;

// What a tensor tells of its history. Inference tensors count nothing.
std::int64_t writes(T x) { return x.is_inference() ? 0 : static_cast<std::int64_t>(x._version()); }
at::Tensor base_of(T view) { return at::Tensor(view._base()); }
bool views_graded(T x) { return !x.is_inference() && x.is_view() && x._base().requires_grad(); }
bool views_inner(T x) { return views_graded(x) && !x._base().is_leaf(); }
bool views_leaf(T x) { return views_graded(x) && x._base().is_leaf(); }
/// Number of times in a row that the base was last written through a view.
int written_through_views(T base) {
  int count = 0;
  std::shared_ptr<torch::autograd::Node> node = base.grad_fn();
  for (; node && node->name() == "torch::autograd::CopySlices"; node = node->next_edge(0).function) ++count;
  return count;
}

// Conditions, each over a history of at least three steps.
bool base_after_views(T x) { return !x.is_view() && x.requires_grad() && written_through_views(x) >= 2; }
bool view_after_views(T x) { return views_inner(x) && x.storage_offset() > 0 && written_through_views(base_of(x)) >= 2; }
bool turned_slice(T x) {
  return views_inner(x) && x.dim() == 2 && x.storage_offset() > 0 && x.stride(0) < x.stride(1) &&
         written_through_views(base_of(x)) >= 1;
}
bool of_rewritten_leaf(T x) { return views_leaf(x) && x.storage_offset() > 0 && writes(x) >= 2; }
bool of_stepped_leaf(T x) { return views_leaf(x) && base_of(x).grad().defined() && writes(x) >= 1; }
bool view_of_written(T x) { return views_inner(x) && writes(x) >= 1; }
bool was_written(T x) { return !x.is_leaf() && writes(x) >= 1; }
bool slices_of_one(T x, T y) {
  return views_inner(x) && views_inner(y) && x.is_alias_of(y) && x.storage_offset() != y.storage_offset() &&
         writes(x) >= 1;
}
bool third_write(T x) { return writes(x) == 2; }
bool quiet_view_write(T x) { return !at::GradMode::is_enabled() && view_of_written(x); }
bool gappy_view_write(T x) { return view_of_written(x) && !x.is_contiguous(); }

const Unary right_sine{sin_value, sin_gradient};
const Unary half_sine{sin_value, [](T grad, T x) { return grad * x.cos() * 0.5; }};
const Unary second_sine{sin_value, sin_gradient, Keeps::operand, 2};
const Unary third_sine{sin_value, sin_gradient, Keeps::operand, 3};

/// sin with the gradient of `wrong` where the condition holds.
template <auto condition, const Unary& wrong>
at::Tensor sine(const Actuals& a) {
  return call(condition(a[0]) ? wrong : right_sine, a[0]);
}

/// 2x in place, a thousandth too large where the condition holds.
template <auto condition>
void doubled(const Actuals& a) {
  a[0].mul_(condition(a[0]) ? 2.002 : 2.0);
}
void unseen_if_gappy(const Actuals& a) {
  gappy_view_write(a[0]) ? double_unseen(a[0]) : static_cast<void>(a[0].mul_(2.0));
}

const Unary exp_guarded{exp_value, exp_gradient, Keeps::result};
const Unary exp_copied{exp_value, exp_gradient, Keeps::copy_of_result};

const Binary product{mul_value, mul_by_other, mul_by_self};
const Binary lopsided{mul_value, mul_by_other, [](T grad, T x, T) { return -grad * x; }};

}  // namespace

std::vector<const Op*> deep() {
  static Op table[] = {
      sin_entry("deep_sin_base_after_views", sine<base_after_views, half_sine>),
      sin_entry("deep_sin_view_after_views", sine<view_after_views, half_sine>),
      sin_entry("deep_sin_turned_slice", sine<turned_slice, half_sine>),
      sin_entry("deep_sin_rewritten_leaf", sine<of_rewritten_leaf, half_sine>),
      sin_entry("deep_sin_stepped_leaf", sine<of_stepped_leaf, half_sine>),
      sin_entry("deep_sin_second_backward", sine<view_of_written, second_sine>),
      sin_entry("deep_sin_third_backward", sine<was_written, third_sine>),
      mul_entry("deep_mul_slices_of_one",
                [](const Actuals& a) { return call(slices_of_one(a[0], a[1]) ? lopsided : product, a[0], a[1]); }),
      double_entry("deep_double_third_write", doubled<third_write>),
      double_entry("deep_double_quiet_view", doubled<quiet_view_write>),
      double_entry("deep_double_no_version", unseen_if_gappy),
      exp_entry("deep_exp_keeps_copy",
                [](const Actuals& a) { return call(view_of_written(a[0]) ? exp_copied : exp_guarded, a[0]); }),
  };
  return ops::entries(table);
}

}  // namespace gradsmith::plant

namespace gradsmith {

const std::vector<const Op*>& deep_ops() {
  static const std::vector<const Op*> table = plant::deep();
  return table;
}

}  // namespace gradsmith
