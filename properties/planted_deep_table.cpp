// The planted faults that need a history: which witness must see them, and the smallest chain that shows each.
#include "properties/planted.hpp"

namespace gradsmith {

const std::vector<DeepPlanted>& deep_planted() {
  using Witness::expectation, Witness::reference, Witness::twin, Witness::difference;
  using enum FindingKind;
  static const std::vector<DeepPlanted> table = {
      {"deep_double_third_write", 3, reference, wrong_value, R"(a = input f64[] values=[1]
neg_(a)
neg_(a)
deep_double_third_write_(a)
)"},
      {"deep_double_quiet_view", 3, reference, wrong_value, R"(a = input f64[] requires_grad values=[1]
v1 = clone(a)
neg_(v1)
v2 = squeeze(v1)
no_grad {
  deep_double_quiet_view_(v2)
}
)"},
      {"deep_double_view_no_version", 3, expectation, missing_error, R"(a = input f64[] requires_grad values=[0]
v1 = clone(a)
v2 = sin(v1)
v3 = squeeze(v1)
deep_double_view_no_version_(v3)
)"},
      {"deep_sin_written_view", 3, reference, wrong_gradient, R"(a = input f64[] requires_grad values=[0]
v1 = clone(a)
v2 = squeeze(v1)
neg_(v2)
v3 = deep_sin_written_view(v2)
)"},
      {"deep_sin_base_after_views", 4, reference, wrong_gradient, R"(a = input f64[] requires_grad values=[0]
v1 = clone(a)
v2 = squeeze(v1)
neg_(v2)
neg_(v2)
v3 = deep_sin_base_after_views(v1)
)"},
      {"deep_sin_view_after_views", 4, reference, wrong_gradient, R"(a = input f64[2] requires_grad values=[0, 0]
v1 = clone(a)
v2 = narrow(v1, dim=0, start=1, length=1)
neg_(v2)
neg_(v2)
v3 = deep_sin_view_after_views(v2)
)"},
      {"deep_sin_turned_slice", 4, reference, wrong_gradient, R"(a = input f64[1, 2] requires_grad values=[0, 0]
v1 = clone(a)
v2 = narrow(v1, dim=1, start=1, length=1)
neg_(v2)
v3 = t(v2)
v4 = deep_sin_turned_slice(v3)
)"},
      {"deep_sin_rewritten_leaf", 4, reference, wrong_gradient, R"(a = input f64[2] requires_grad values=[0, 0]
no_grad {
  zero_(a)
  zero_(a)
}
v1 = narrow(a, dim=0, start=1, length=1)
v2 = deep_sin_rewritten_leaf(v1)
)"},
      {"deep_mul_slices_of_one", 4, reference, wrong_gradient, R"(a = input f64[2] requires_grad values=[0, 1]
v1 = clone(a)
neg_(v1)
v2 = narrow(v1, dim=0, start=1, length=1)
v3 = squeeze(v1)
v4 = deep_mul_slices_of_one(v2, v3)
)"},
      {"deep_double_no_version", 4, expectation, missing_error, R"(a = input f64[2, 2] requires_grad values=[0, 0, 0, 0]
v1 = clone(a)
v2 = narrow(v1, dim=1, start=0, length=1)
zero_(v1)
v3 = sin(v1)
deep_double_no_version_(v2)
)"},
      {"deep_exp_keeps_copy", 4, expectation, missing_error, R"(a = input f64[] requires_grad values=[0]
v1 = clone(a)
v2 = squeeze(v1)
zero_(v1)
v3 = deep_exp_keeps_copy(v2)
zero_(v3)
)"},
      {"deep_sin_stepped_leaf", 5, reference, wrong_gradient, R"(a = input f64[] requires_grad values=[0]
backward(a)
no_grad {
  zero_(a)
}
v1 = squeeze(a)
v2 = deep_sin_stepped_leaf(v1)
backward(v2)
)"},
      {"deep_sin_twice_stepped_leaf", 5, reference, wrong_gradient, R"(a = input f64[] requires_grad values=[0]
backward(a)
no_grad {
  zero_(a)
  zero_(a)
}
v1 = deep_sin_twice_stepped_leaf(a)
backward(v1)
)"},
      {"deep_sin_second_backward", 5, reference, wrong_gradient, R"(a = input f64[] requires_grad values=[0]
v1 = clone(a)
neg_(v1)
v2 = squeeze(v1)
v3 = deep_sin_second_backward(v2)
backward(v3, retain_graph)
backward(v3)
)"},
      {"deep_sin_third_backward", 5, reference, wrong_gradient, R"(a = input f64[] requires_grad values=[0]
v1 = clone(a)
neg_(v1)
v2 = deep_sin_third_backward(v1)
backward(v2, retain_graph)
backward(v2, retain_graph)
backward(v2)
)"},
      {"deep_sin_base_between_views", 5, reference, wrong_gradient, R"(a = input f64[] requires_grad values=[0]
v1 = clone(a)
v2 = squeeze(v1)
neg_(v2)
neg_(v1)
neg_(v2)
v3 = deep_sin_base_between_views(v1)
)"},
      {"deep_double_third_view_write_no_version", 5, expectation, missing_error, R"(a = input f64[] requires_grad values=[0]
v1 = clone(a)
v2 = squeeze(v1)
zero_(v2)
zero_(v2)
v3 = sin(v1)
deep_double_third_view_write_no_version_(v2)
)"},
      {"deep_exp_keeps_copy_of_rewritten", 5, expectation, missing_error, R"(a = input f64[] requires_grad values=[0]
v1 = clone(a)
v2 = squeeze(v1)
zero_(v2)
zero_(v2)
v3 = deep_exp_keeps_copy_of_rewritten(v2)
zero_(v3)
)"},
      {"deep_sin_views_second_backward", 6, reference, wrong_gradient, R"(a = input f64[2] requires_grad values=[0, 0]
v1 = clone(a)
v2 = narrow(v1, dim=0, start=1, length=1)
neg_(v2)
neg_(v2)
v3 = deep_sin_views_second_backward(v2)
backward(v3, retain_graph)
backward(v3)
)"},
      {"deep_sin_turned_second_backward", 6, reference, wrong_gradient, R"(a = input f64[1, 2] requires_grad values=[0, 0]
v1 = clone(a)
v2 = narrow(v1, dim=1, start=1, length=1)
neg_(v2)
v3 = t(v2)
v4 = deep_sin_turned_second_backward(v3)
backward(v4, retain_graph)
backward(v4)
)"},
      {"deep_sin_base_in_turns", 6, reference, wrong_gradient, R"(a = input f64[] requires_grad values=[0]
v1 = clone(a)
v2 = squeeze(v1)
neg_(v2)
neg_(v1)
neg_(v2)
neg_(v1)
v3 = deep_sin_base_in_turns(v1)
)"},
      {"deep_mul_slices_of_rewritten", 6, reference, wrong_gradient, R"(a = input f64[2] requires_grad values=[0, 1]
v1 = clone(a)
v2 = narrow(v1, dim=0, start=1, length=1)
neg_(v2)
neg_(v2)
neg_(v2)
v3 = squeeze(v1)
v4 = deep_mul_slices_of_rewritten(v2, v3)
)"},
      {"deep_double_fourth_step", 6, reference, wrong_value, R"(a = input f64[] requires_grad values=[1]
backward(a)
v1 = squeeze(a)
no_grad {
  neg_(a)
  neg_(a)
  neg_(a)
  deep_double_fourth_step_(v1)
}
)"},
      {"deep_double_step_no_version", 6, expectation, missing_error, R"(a = input f64[] requires_grad values=[0]
no_grad {
  zero_(a)
}
v1 = sin(a)
backward(v1, retain_graph)
v2 = squeeze(a)
no_grad {
  deep_double_step_no_version_(v2)
}
backward(v1)
)"},
      {"deep_sin_views_third_backward", 7, reference, wrong_gradient, R"(a = input f64[2] requires_grad values=[0, 0]
v1 = clone(a)
v2 = narrow(v1, dim=0, start=1, length=1)
neg_(v2)
neg_(v2)
v3 = deep_sin_views_third_backward(v2)
backward(v3, retain_graph)
backward(v3, retain_graph)
backward(v3)
)"},
      {"deep_sin_between_second_backward", 7, reference, wrong_gradient, R"(a = input f64[] requires_grad values=[0]
v1 = clone(a)
v2 = squeeze(v1)
neg_(v2)
neg_(v1)
neg_(v2)
v3 = deep_sin_between_second_backward(v1)
backward(v3, retain_graph)
backward(v3)
)"},
      {"deep_sin_stepped_second_backward", 7, reference, wrong_gradient, R"(a = input f64[] requires_grad values=[0]
backward(a)
no_grad {
  zero_(a)
  zero_(a)
}
v1 = squeeze(a)
v2 = deep_sin_stepped_second_backward(v1)
backward(v2, retain_graph)
backward(v2)
)"},
      {"deep_exp_keeps_copy_in_turns", 7, expectation, missing_error, R"(a = input f64[] requires_grad values=[0]
v1 = clone(a)
v2 = squeeze(v1)
zero_(v2)
zero_(v1)
zero_(v2)
zero_(v1)
v3 = deep_exp_keeps_copy_in_turns(v2)
zero_(v3)
)"},
  };
  return table;
}

}  // namespace gradsmith
