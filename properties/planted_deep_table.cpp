// The planted faults that need a history: which witness must see them, and the smallest chain that shows each.
#include "properties/planted.hpp"

namespace gradsmith {

const std::vector<DeepPlanted>& deep_planted() {
  using Witness::expectation, Witness::reference, Witness::twin, Witness::difference;
  using enum FindingKind;
  static const std::vector<DeepPlanted> table = {
      {"deep_sin_base_after_views", reference, wrong_gradient, R"(a = input f64[] requires_grad values=[0]
v1 = clone(a)
v2 = squeeze(v1)
neg_(v2)
neg_(v2)
v3 = deep_sin_base_after_views(v1)
)"},
      {"deep_sin_view_after_views", reference, wrong_gradient, R"(a = input f64[2] requires_grad values=[0, 0]
v1 = clone(a)
v2 = narrow(v1, dim=0, start=1, length=1)
neg_(v2)
neg_(v2)
v3 = deep_sin_view_after_views(v2)
)"},
      {"deep_sin_turned_slice", reference, wrong_gradient, R"(a = input f64[1, 2] requires_grad values=[0, 0]
v1 = clone(a)
v2 = narrow(v1, dim=1, start=1, length=1)
neg_(v2)
v3 = t(v2)
v4 = deep_sin_turned_slice(v3)
)"},
      {"deep_sin_rewritten_leaf", reference, wrong_gradient, R"(a = input f64[2] requires_grad values=[0, 0]
no_grad {
  zero_(a)
  zero_(a)
}
v1 = narrow(a, dim=0, start=1, length=1)
v2 = deep_sin_rewritten_leaf(v1)
)"},
      {"deep_sin_stepped_leaf", reference, wrong_gradient, R"(a = input f64[] requires_grad values=[0]
backward(a)
no_grad {
  zero_(a)
}
v1 = squeeze(a)
v2 = deep_sin_stepped_leaf(v1)
backward(v2)
)"},
      {"deep_sin_second_backward", reference, wrong_gradient, R"(a = input f64[] requires_grad values=[0]
v1 = clone(a)
neg_(v1)
v2 = squeeze(v1)
v3 = deep_sin_second_backward(v2)
backward(v3, retain_graph)
backward(v3)
)"},
      {"deep_sin_third_backward", reference, wrong_gradient, R"(a = input f64[] requires_grad values=[0]
v1 = clone(a)
neg_(v1)
v2 = deep_sin_third_backward(v1)
backward(v2, retain_graph)
backward(v2, retain_graph)
backward(v2)
)"},
      {"deep_mul_slices_of_one", reference, wrong_gradient, R"(a = input f64[2] requires_grad values=[0, 1]
v1 = clone(a)
neg_(v1)
v2 = narrow(v1, dim=0, start=1, length=1)
v3 = squeeze(v1)
v4 = deep_mul_slices_of_one(v2, v3)
)"},
      {"deep_double_third_write", reference, wrong_value, R"(a = input f64[] values=[1]
neg_(a)
neg_(a)
deep_double_third_write_(a)
)"},
      {"deep_double_quiet_view", reference, wrong_value, R"(a = input f64[] requires_grad values=[1]
v1 = clone(a)
neg_(v1)
v2 = squeeze(v1)
no_grad {
  deep_double_quiet_view_(v2)
}
)"},
      {"deep_double_no_version", expectation, missing_error, R"(a = input f64[2, 2] requires_grad values=[0, 0, 0, 0]
v1 = clone(a)
v2 = narrow(v1, dim=1, start=0, length=1)
zero_(v1)
v3 = sin(v1)
deep_double_no_version_(v2)
)"},
      {"deep_exp_keeps_copy", expectation, missing_error, R"(a = input f64[] requires_grad values=[0]
v1 = clone(a)
v2 = squeeze(v1)
zero_(v1)
v3 = deep_exp_keeps_copy(v2)
zero_(v3)
)"},
  };
  return table;
}

}  // namespace gradsmith
