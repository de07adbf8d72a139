// Planted faults that need a history: right for every op alone, wrong only after three to seven steps that concern the same
// memory. What coverage feedback is for.
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/function.h>

#include <algorithm>
#include <string>

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
/// How a base was written, the newest write first: `v` through a view, `b` as itself. What made it counts as `b`, too.
std::string written(T base) {
  constexpr std::size_t most = 4;
  std::string how;
  std::shared_ptr<torch::autograd::Node> node = base.grad_fn();
  for (; node && how.size() < most; node = node->num_outputs() > 0 ? node->next_edge(0).function : nullptr)
    how += node->name() == "torch::autograd::CopySlices" ? 'v' : 'b';
  return how;
}
/// Number of times in a row that the base was last written through a view.
std::size_t written_through_views(T base) {
  const std::string how = written(base);
  return std::min(how.find('b'), how.size());
}

// Conditions: what the memory of an operand has been through. They hold after views, writes and steps of an optimizer.
bool is_written_view(T x) { return views_inner(x) && written_through_views(base_of(x)) >= 1; }
bool is_twice_written_view(T x) { return views_inner(x) && written_through_views(base_of(x)) >= 2; }
bool base_between_views(T x) { return !x.is_view() && x.requires_grad() && written(x).starts_with("vbv"); }
bool in_turns(T base) { return writes(base) >= 4 && written(base).starts_with("bvbv"); }
bool base_in_turns(T x) { return !x.is_view() && x.requires_grad() && in_turns(x); }
bool view_of_base_in_turns(T x) { return views_inner(x) && in_turns(base_of(x)); }
bool of_twice_stepped_leaf(T x) { return views_leaf(x) && base_of(x).grad().defined() && writes(x) >= 2; }
bool twice_stepped_leaf(T x) {
  return !x.is_view() && x.requires_grad() && x.is_leaf() && x.grad().defined() && writes(x) >= 2;
}
bool fourth_step_of_leaf(T x) { return views_leaf(x) && base_of(x).grad().defined() && writes(x) >= 3; }
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
bool slices_of_rewritten(T x, T y) { return slices_of_one(x, y) && written_through_views(base_of(x)) >= 3; }
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
/// 2x in place, behind the back of the version counter where the condition holds.
template <auto condition>
void unseen(const Actuals& a) {
  condition(a[0]) ? double_unseen(a[0]) : static_cast<void>(a[0].mul_(2.0));
}

const Unary exp_guarded{exp_value, exp_gradient, Keeps::result};
const Unary exp_copied{exp_value, exp_gradient, Keeps::copy_of_result};

/// exp that keeps a copy of its result, which no write spoils, where the condition holds.
template <auto condition>
at::Tensor exponential(const Actuals& a) {
  return call(condition(a[0]) ? exp_copied : exp_guarded, a[0]);
}

const Binary product{mul_value, mul_by_other, mul_by_self};
const Binary lopsided{mul_value, mul_by_other, [](T grad, T x, T) { return -grad * x; }};

/// The product with a wrong gradient of its second operand where the condition holds.
template <auto condition>
at::Tensor multiplied(const Actuals& a) {
  return call(condition(a[0], a[1]) ? lopsided : product, a[0], a[1]);
}

}  // namespace

std::vector<const Op*> deep() {
  static Op table[] = {
      // three steps
      double_entry("deep_double_third_write", doubled<third_write>),
      double_entry("deep_double_quiet_view", doubled<quiet_view_write>),
      double_entry("deep_double_view_no_version", unseen<views_inner>),
      sin_entry("deep_sin_written_view", sine<is_written_view, half_sine>),
      // four
      sin_entry("deep_sin_base_after_views", sine<base_after_views, half_sine>),
      sin_entry("deep_sin_view_after_views", sine<view_after_views, half_sine>),
      sin_entry("deep_sin_turned_slice", sine<turned_slice, half_sine>),
      sin_entry("deep_sin_rewritten_leaf", sine<of_rewritten_leaf, half_sine>),
      mul_entry("deep_mul_slices_of_one", multiplied<slices_of_one>),
      double_entry("deep_double_no_version", unseen<gappy_view_write>),
      exp_entry("deep_exp_keeps_copy", exponential<view_of_written>),
      // five
      sin_entry("deep_sin_stepped_leaf", sine<of_stepped_leaf, half_sine>),
      sin_entry("deep_sin_twice_stepped_leaf", sine<twice_stepped_leaf, half_sine>),
      sin_entry("deep_sin_second_backward", sine<view_of_written, second_sine>),
      sin_entry("deep_sin_third_backward", sine<was_written, third_sine>),
      sin_entry("deep_sin_base_between_views", sine<base_between_views, half_sine>),
      double_entry("deep_double_third_view_write_no_version", unseen<is_twice_written_view>),
      exp_entry("deep_exp_keeps_copy_of_rewritten", exponential<is_twice_written_view>),
      // six
      sin_entry("deep_sin_views_second_backward", sine<view_after_views, second_sine>),
      sin_entry("deep_sin_turned_second_backward", sine<turned_slice, second_sine>),
      sin_entry("deep_sin_base_in_turns", sine<base_in_turns, half_sine>),
      mul_entry("deep_mul_slices_of_rewritten", multiplied<slices_of_rewritten>),
      double_entry("deep_double_fourth_step", doubled<fourth_step_of_leaf>),
      double_entry("deep_double_step_no_version", unseen<of_stepped_leaf>),
      // seven
      sin_entry("deep_sin_views_third_backward", sine<view_after_views, third_sine>),
      sin_entry("deep_sin_between_second_backward", sine<base_between_views, second_sine>),
      sin_entry("deep_sin_stepped_second_backward", sine<of_twice_stepped_leaf, second_sine>),
      exp_entry("deep_exp_keeps_copy_in_turns", exponential<view_of_base_in_turns>),
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
