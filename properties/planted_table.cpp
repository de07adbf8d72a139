// Which witness must see which planted fault, and what must be left of the chain in the end.
#include "properties/planted.hpp"

namespace gradsmith {

const std::vector<Planted>& planted() {
  using enum Witness;
  using enum FindingKind;
  static const std::vector<Planted> table = {
      {"bad_exp_factor_1e3", difference, wrong_gradient, ""},
      {"bad_exp_factor_1e6", reference, wrong_gradient, ""},
      {"bad_exp_negative_1e6", reference, wrong_gradient, ""},
      {"bad_exp_sign_below_zero", difference, wrong_gradient, ""},
      {"bad_sin_first_element", difference, wrong_gradient, ""},
      {"bad_sin_last_element", reference, wrong_gradient, ""},
      {"bad_sin_beyond_16", reference, wrong_gradient, ""},
      {"bad_sin_no_cotangent", reference, wrong_gradient, ""},
      {"bad_sin_twice", difference, wrong_gradient, ""},
      {"bad_sin_second_backward", reference, wrong_gradient, ""},
      {"bad_sin_strided", reference, wrong_gradient, ""},
      {"bad_sin_0dim", difference, wrong_gradient, ""},
      {"bad_sin_transposed", reference, wrong_gradient, ""},
      {"bad_sixth_float", reference, wrong_gradient, ""},
      {"bad_relu_at_zero", reference, wrong_gradient, ""},
      {"bad_x_sin_x_half", difference, wrong_gradient, ""},
      {"bad_mul_swapped", difference, wrong_gradient, ""},
      {"bad_mul_other_dropped", difference, wrong_gradient, ""},
      {"bad_mul_other_sign", reference, wrong_gradient, ""},
      {"bad_mul_broadcast", difference, wrong_gradient, ""},
      {"bad_sin_value_1e3", reference, wrong_value, ""},
      {"bad_sin_value_1e6", reference, wrong_value, ""},
      {"bad_sin_value_1e12", reference, wrong_value, ""},
      {"bad_sin_value_one_element", reference, wrong_value, ""},
      {"bad_sin_value_gaps", reference, wrong_value, ""},
      {"bad_sin_value_offset", reference, wrong_value, ""},
      {"bad_sin_value_expanded", reference, wrong_value, ""},
      {"bad_sin_value_transposed", reference, wrong_value, ""},
      {"bad_sin_value_0dim", reference, wrong_value, ""},
      {"bad_sin_value_from_9", reference, wrong_value, ""},
      {"bad_sin_unsteady", twin, twin_mismatch, ""},
      {"bad_sin_refuses_3", expectation, spurious_error, ""},
      {"bad_sin_detached", expectation, spurious_error, ""},
      {"bad_narrow_before", reference, wrong_value, ""},
      {"bad_transpose_copies", reference, wrong_value, ""},
      {"bad_clone_aliases", reference, wrong_value, ""},
      {"bad_sum_but_last", reference, wrong_value, ""},
      {"bad_sum_keepdim", reference, wrong_value, ""},
      {"bad_mean_by_rows", reference, wrong_value, ""},
      {"bad_double_inplace_value", twin, twin_mismatch, ""},
      {"bad_double_inplace_1e12", twin, twin_mismatch, ""},
      {"bad_double_no_history", twin, twin_mismatch, ""},
      {"bad_double_no_version", expectation, missing_error, ""},
      {"bad_double_no_leaf_check", expectation, missing_error, ""},
      {"bad_double_wrong_words", expectation, wrong_error, ""},
      {"bad_sin_inplace_gradient", twin, twin_mismatch, ""},
      {"bad_sin_inplace_stale", twin, twin_mismatch, ""},
      {"bad_sin_keeps_copy", expectation, missing_error, ""},
      {"bad_exp_keeps_copy", expectation, missing_error, ""},
      {"bad_exp_keeps_operand", expectation, spurious_error, ""},
      {"bad_mul_keeps_all", expectation, spurious_error, ""},
  };
  return table;
}

}  // namespace gradsmith
