// Which witness must see which planted fault, and what must be left of the chain in the end.
#include "properties/planted.hpp"

namespace gradsmith {

const std::vector<Planted>& planted() {
  using Witness::expectation, Witness::reference, Witness::twin, Witness::difference;
  using enum FindingKind;
  static const std::vector<Planted> table = {
      {"bad_exp_factor_1e3",
       difference,
       wrong_gradient,
       {{"wrong-gradient.bad_exp_factor_1e3.large.f64.cpu", R"(a = input f64[] requires_grad values=[0]
v1 = bad_exp_factor_1e3(a)
)"}}},
      {"bad_exp_factor_1e6",
       reference,
       wrong_gradient,
       {{"wrong-gradient.bad_exp_factor_1e6.small.f64.cpu", R"(a = input f64[] requires_grad values=[0]
v1 = bad_exp_factor_1e6(a)
)"}}},
      {"bad_exp_negative_1e6",
       reference,
       wrong_gradient,
       {{"wrong-gradient.bad_exp_negative_1e6.small.f64.cpu", R"(a = input f64[] requires_grad values=[-1]
v1 = bad_exp_negative_1e6(a)
)"}}},
      {"bad_exp_sign_below_zero",
       difference,
       wrong_gradient,
       {{"wrong-gradient.bad_exp_sign_below_zero.large.f64.cpu", R"(a = input f64[] requires_grad values=[-1]
v1 = bad_exp_sign_below_zero(a)
)"}}},
      {"bad_sin_first_element",
       difference,
       wrong_gradient,
       {{"wrong-gradient.bad_sin_first_element.large.f64.cpu", R"(a = input f64[] requires_grad values=[0]
v1 = bad_sin_first_element(a)
)"}}},
      {"bad_sin_last_element",
       reference,
       wrong_gradient,
       {{"wrong-gradient.bad_sin_last_element.large.f64.cpu", R"(a = input f64[2] requires_grad values=[0, 0]
v1 = bad_sin_last_element(a)
)"}}},
      {"bad_sin_beyond_16",
       reference,
       wrong_gradient,
       {{"wrong-gradient.bad_sin_beyond_16.large.f64.cpu", R"(a = input f64[17] requires_grad
v1 = bad_sin_beyond_16(a)
)"}}},
      {"bad_sin_no_cotangent",
       reference,
       wrong_gradient,
       {{"wrong-gradient.bad_sin_no_cotangent.large.f64.cpu", R"(a = input f64[] requires_grad values=[0]
v1 = bad_sin_no_cotangent(a)
)"}}},
      {"bad_sin_twice",
       difference,
       wrong_gradient,
       {{"wrong-gradient.bad_sin_twice.large.f64.cpu", R"(a = input f64[] requires_grad values=[0]
v1 = bad_sin_twice(a)
)"}}},
      {"bad_sin_second_backward",
       reference,
       wrong_gradient,
       {{"wrong-gradient.bad_sin_second_backward.large.f64.cpu", R"(a = input f64[] requires_grad values=[0]
v1 = bad_sin_second_backward(a)
backward(v1, retain_graph)
backward(v1)
)"}}},
      {"bad_sin_strided",
       reference,
       wrong_gradient,
       {{"wrong-gradient.bad_sin_strided.large.f64.cpu", R"(a = input f64[2] requires_grad strides=[0] values=[0, 0]
v1 = bad_sin_strided(a)
)"}}},
      {"bad_sin_0dim",
       difference,
       wrong_gradient,
       {{"wrong-gradient.bad_sin_0dim.large.f64.cpu", R"(a = input f64[] requires_grad values=[0]
v1 = bad_sin_0dim(a)
)"}}},
      {"bad_sin_transposed",
       reference,
       wrong_gradient,
       {{"wrong-gradient.bad_sin_transposed.large.f64.cpu", R"(a = input f64[2, 2] requires_grad strides=[1, 2] values=[0, 0, 1, 0]
v1 = bad_sin_transposed(a)
)"}}},
      {"bad_sin_infinite",
       reference,
       wrong_gradient,
       {{"wrong-gradient.bad_sin_infinite.nonfinite.f64.cpu", R"(a = input f64[] requires_grad values=[-1]
v1 = bad_sin_infinite(a)
)"}}},
      {"bad_sin_no_number",
       reference,
       wrong_gradient,
       {{"wrong-gradient.bad_sin_no_number.nonfinite.f64.cpu", R"(a = input f64[] requires_grad values=[-1]
v1 = bad_sin_no_number(a)
)"}}},
      {"bad_sixth_float",
       reference,
       wrong_gradient,
       {{"wrong-gradient.bad_sixth_float.small.f64.cpu", R"(a = input f64[] requires_grad values=[0]
v1 = bad_sixth_float(a)
)"}}},
      {"bad_relu_at_zero",
       reference,
       wrong_gradient,
       {{"wrong-gradient.bad_relu_at_zero.large.f64.cpu", R"(a = input f64[] requires_grad values=[0]
v1 = bad_relu_at_zero(a)
)"}}},
      {"bad_x_sin_x_half",
       difference,
       wrong_gradient,
       {{"wrong-gradient.bad_x_sin_x_half.large.f64.cpu", R"(a = input f64[] requires_grad values=[1]
v1 = bad_x_sin_x_half(a)
)"}}},
      {"bad_mul_swapped",
       difference,
       wrong_gradient,
       {{"wrong-gradient.bad_mul_swapped.large.f64.cpu", R"(a = input f64[] requires_grad values=[0]
b = input f64[] values=[1]
v1 = bad_mul_swapped(a, b)
)"}}},
      {"bad_mul_other_dropped",
       difference,
       wrong_gradient,
       {{"wrong-gradient.bad_mul_other_dropped.large.f64.cpu", R"(a = input f64[] requires_grad values=[1]
v1 = bad_mul_other_dropped(a, a)
)"}}},
      {"bad_mul_other_sign",
       reference,
       wrong_gradient,
       {{"wrong-gradient.bad_mul_other_sign.large.f64.cpu", R"(a = input f64[] requires_grad values=[1]
v1 = bad_mul_other_sign(a, a)
)"}}},
      {"bad_mul_broadcast",
       difference,
       wrong_gradient,
       {{"wrong-gradient.bad_mul_broadcast.large.f64.cpu", R"(a = input f64[1] values=[1]
b = input f64[] requires_grad values=[0]
v1 = bad_mul_broadcast(a, b)
)"}}},
      {"bad_sin_value_1e3",
       reference,
       wrong_value,
       {{"wrong-value.bad_sin_value_1e3.large.f64.cpu", R"(a = input f64[] values=[1]
v1 = bad_sin_value_1e3(a)
)"}}},
      {"bad_sin_value_1e6",
       reference,
       wrong_value,
       {{"wrong-value.bad_sin_value_1e6.small.f64.cpu", R"(a = input f64[] values=[1]
v1 = bad_sin_value_1e6(a)
)"}}},
      {"bad_sin_value_1e12",
       reference,
       wrong_value,
       {{"wrong-value.bad_sin_value_1e12.small.f64.cpu", R"(a = input f64[] values=[1]
v1 = bad_sin_value_1e12(a)
)"}}},
      {"bad_sin_value_one_element",
       reference,
       wrong_value,
       {{"wrong-value.bad_sin_value_one_element.large.f64.cpu", R"(a = input f64[3] values=[0, 0, 0]
v1 = bad_sin_value_one_element(a)
)"}}},
      {"bad_sin_value_gaps",
       reference,
       wrong_value,
       {{"wrong-value.bad_sin_value_gaps.large.f64.cpu", R"(a = input f64[2] strides=[2] values=[0, 1]
v1 = bad_sin_value_gaps(a)
)"}}},
      {"bad_sin_value_offset",
       reference,
       wrong_value,
       {{"wrong-value.bad_sin_value_offset.large.f64.cpu", R"(a = input f64[] offset=1 values=[1]
v1 = bad_sin_value_offset(a)
)"}}},
      {"bad_sin_value_expanded",
       reference,
       wrong_value,
       {{"wrong-value.bad_sin_value_expanded.large.f64.cpu", R"(a = input f64[2] strides=[0] values=[1, 1]
v1 = bad_sin_value_expanded(a)
)"}}},
      {"bad_sin_value_transposed",
       reference,
       wrong_value,
       {{"wrong-value.bad_sin_value_transposed.large.f64.cpu", R"(a = input f64[2, 2] strides=[1, 2] values=[0, 0, 0, 1]
v1 = bad_sin_value_transposed(a)
)"}}},
      {"bad_sin_value_0dim",
       reference,
       wrong_value,
       {{"wrong-value.bad_sin_value_0dim.large.f64.cpu", R"(a = input f64[] values=[1]
v1 = bad_sin_value_0dim(a)
)"}}},
      {"bad_sin_value_from_9",
       reference,
       wrong_value,
       {{"wrong-value.bad_sin_value_from_9.large.f64.cpu", R"(a = input f64[9] values=[0, 0, 0, 0, 0, 0, 0, 0, 1]
v1 = bad_sin_value_from_9(a)
)"}}},
      {"bad_sin_unsteady",
       twin,
       nondeterminism,
       {{"nondeterminism.bad_sin_unsteady.repeat.f64.cpu", R"(a = input f64[] values=[1]
v1 = bad_sin_unsteady(a)
)"}}},
      {"bad_sin_refuses_3",
       expectation,
       spurious_error,
       {{"spurious-error.bad_sin_refuses_3.none-?-step.f64.cpu", R"(a = input f64[3] values=[0, 0, 0]
v1 = bad_sin_refuses_3(a)
)"}}},
      {"bad_sin_detached",
       expectation,
       spurious_error,
       {{"spurious-error.bad_sin_detached.none-E28-backward.f64.cpu", R"(a = input f64[] requires_grad values=[0]
v1 = bad_sin_detached(a)
)"}}},
      {"bad_narrow_before",
       reference,
       wrong_value,
       {{"wrong-value.bad_narrow_before.large.f64.cpu", R"(a = input f64[2] values=[0, 1]
v1 = bad_narrow_before(a, dim=0, start=1, length=1)
)"}}},
      {"bad_transpose_copies",
       reference,
       wrong_value,
       {{"wrong-value.bad_transpose_copies.large.f64.cpu", R"(a = input f64[] values=[1]
v1 = bad_transpose_copies(a, dim0=0, dim1=0)
zero_(a)
)"}}},
      {"bad_clone_aliases",
       reference,
       wrong_value,
       {{"wrong-value.bad_clone_aliases.large.f64.cpu", R"(a = input f64[] values=[1]
v1 = bad_clone_aliases(a)
zero_(a)
)"}}},
      {"bad_sum_but_last",
       reference,
       wrong_value,
       {{"wrong-value.bad_sum_but_last.large.f64.cpu", R"(a = input f64[2] values=[0, 1]
v1 = bad_sum_but_last(a)
)"}}},
      {"bad_sum_keepdim",
       reference,
       wrong_value,
       {{"wrong-value.bad_sum_keepdim.large.f64.cpu", R"(a = input f64[1] values=[1]
v1 = bad_sum_keepdim(a, keepdim=true)
)"}}},
      {"bad_mean_by_rows",
       reference,
       wrong_value,
       {{"wrong-value.bad_mean_by_rows.large.f64.cpu", R"(a = input f64[1, 2] values=[0, 1]
v1 = bad_mean_by_rows(a)
)"}}},
      {"bad_double_inplace_value",
       twin,
       twin_mismatch,
       {{"wrong-value.bad_double_inplace_value_.large.f64.cpu", R"(a = input f64[] values=[1]
bad_double_inplace_value_(a)
)"}}},
      {"bad_double_inplace_1e12",
       twin,
       twin_mismatch,
       {{"wrong-value.bad_double_inplace_1e12_.small.f64.cpu", R"(a = input f64[] values=[1]
bad_double_inplace_1e12_(a)
)"}}},
      {"bad_double_no_history",
       twin,
       twin_mismatch,
       {{"wrong-gradient.bad_double_no_history_.large.f64.cpu", R"(a = input f64[] requires_grad values=[0]
v1 = clone(a)
bad_double_no_history_(v1)
)"}}},
      {"bad_double_no_version",
       expectation,
       missing_error,
       {{"missing-error.bad_double_no_version_.E5-backward-none.f64.cpu", R"(a = input f64[] requires_grad values=[0]
v1 = exp(a)
bad_double_no_version_(v1)
)"}}},
      {"bad_double_no_leaf_check",
       expectation,
       missing_error,
       {{"missing-error.bad_double_no_leaf_check_.E1-step-none.f64.cpu", R"(a = input f64[] requires_grad values=[0]
bad_double_no_leaf_check_(a)
)"}}},
      {"bad_double_wrong_words",
       expectation,
       wrong_error,
       {{"wrong-error.bad_double_wrong_words_.E1-step-E2-step.f64.cpu", R"(a = input f64[] requires_grad values=[0]
bad_double_wrong_words_(a)
)"}}},
      {"bad_sin_inplace_gradient",
       twin,
       twin_mismatch,
       {{"wrong-gradient.bad_sin_inplace_gradient_.large.f64.cpu", R"(a = input f64[] requires_grad values=[0]
v1 = clone(a)
bad_sin_inplace_gradient_(v1)
)"}}},
      {"bad_sin_inplace_stale",
       twin,
       twin_mismatch,
       {{"wrong-gradient.bad_sin_inplace_stale_.large.f64.cpu", R"(a = input f64[] requires_grad values=[1]
v1 = clone(a)
bad_sin_inplace_stale_(v1)
)"}}},
      {"bad_sin_keeps_copy",
       expectation,
       missing_error,
       {{"missing-error.bad_sin_keeps_copy.E5-backward-none.f64.cpu", R"(a = input f64[] requires_grad values=[0]
v1 = bad_sin_keeps_copy(a)
no_grad {
  zero_(a)
}
)"}}},
      {"bad_exp_keeps_copy",
       expectation,
       missing_error,
       {{"missing-error.bad_exp_keeps_copy.E5-backward-none.f64.cpu", R"(a = input f64[] requires_grad values=[0]
v1 = bad_exp_keeps_copy(a)
zero_(v1)
)"}}},
      {"bad_exp_keeps_operand",
       expectation,
       spurious_error,
       {{"spurious-error.bad_exp_keeps_operand.none-E5-backward.f64.cpu", R"(a = input f64[] requires_grad values=[0]
v1 = bad_exp_keeps_operand(a)
no_grad {
  zero_(a)
}
)"}}},
      {"bad_mul_keeps_all",
       expectation,
       spurious_error,
       {{"spurious-error.bad_mul_keeps_all.none-E5-backward.f64.cpu", R"(a = input f64[] requires_grad values=[0]
b = input f64[] values=[0]
v1 = bad_mul_keeps_all(a, b)
no_grad {
  zero_(a)
}
)"}}},
      {"bad_sin_hidden_copy",
       Witness::memory,
       memory,
       {{"memory.bad_sin_hidden_copy.scratch.f64.cpu", R"(a = input f64[] values=[0]
v1 = bad_sin_hidden_copy(a)
)"}}},
      {"bad_neg_keeps_clone",
       Witness::memory,
       memory,
       {{"memory.bad_neg_keeps_clone_.kept.f64.cpu", R"(a = input f64[] requires_grad values=[0]
v1 = clone(a)
bad_neg_keeps_clone_(v1)
)"},
        {"memory.bad_neg_keeps_clone_.scratch.f64.cpu", R"(a = input f64[] values=[0]
bad_neg_keeps_clone_(a)
)"}}},
      {"bad_neg_slow",
       Witness::time,
       time,
       {{"time.bad_neg_slow_.slow.f64.cpu", R"(a = input f64[] values=[0]
bad_neg_slow_(a)
)"}}},
      {"bad_sin_slow_strided",
       Witness::time,
       time,
       {{"time.bad_sin_slow_strided.slow.f64.cpu", R"(a = input f64[2] strides=[0] values=[0, 0]
v1 = bad_sin_slow_strided(a)
)"}}},
      {"bad_sin_tangent",
       Witness::forward,
       forward_mode,
       {{"forward-mode.bad_sin_tangent.large.f64.cpu", R"(a = input f64[] requires_grad values=[0]
v1 = bad_sin_tangent(a)
)"}}},
      {"bad_sin_tangent_1e6",
       Witness::forward,
       forward_mode,
       {{"forward-mode.bad_sin_tangent_1e6.small.f64.cpu", R"(a = input f64[] requires_grad values=[0]
v1 = bad_sin_tangent_1e6(a)
)"}}},
      {"bad_sin_second",
       Witness::second,
       second_order,
       {{"second-order.bad_sin_second.large.f64.cpu", R"(a = input f64[] requires_grad values=[1]
v1 = bad_sin_second(a)
)"}}},
      {"bad_sin_second_1e6",
       Witness::second,
       second_order,
       {{"second-order.bad_sin_second_1e6.small.f64.cpu", R"(a = input f64[] requires_grad values=[1]
v1 = bad_sin_second_1e6(a)
)"}}},
  };
  return table;
}

}  // namespace gradsmith
