// Planted faults in in-place forms, in what a node keeps, and in what must be refused.
#include <ATen/core/grad_mode.h>

#include "properties/planted_ops.hpp"

namespace gradsmith::plant {
namespace {

using T = const at::Tensor&;

const Unary half_gradient{sin_value, [](T grad, T x) { return grad * x.cos() * 0.5; }, Keeps::copy_of_operand};
const Unary from_result{sin_value, [](T grad, T y) { return grad * y.cos(); }, Keeps::copy_of_result};
const Unary keeps_copy{sin_value, sin_gradient, Keeps::copy_of_operand};
const Unary exp_copy{exp_value, exp_gradient, Keeps::copy_of_result};
const Unary exp_both{exp_value, exp_gradient, Keeps::both};
const Binary keeps_all{mul_value, mul_by_other, mul_by_self, true};

void without_version(const Actuals& a) {
  a[0].is_inference() ? static_cast<void>(a[0].mul_(2.0)) : double_unseen(a[0]);
}

bool is_graded_leaf(T x) { return at::GradMode::is_enabled() && !x.is_view() && x.is_leaf() && x.requires_grad(); }

void without_leaf_check(const Actuals& a) {
  if (!is_graded_leaf(a[0])) {
    a[0].mul_(2.0);
    return;
  }
  at::NoGradGuard off;
  a[0].mul_(2.0);
}

void with_wrong_words(const Actuals& a) {
  TORCH_CHECK(!is_graded_leaf(a[0]),
              "a view of a leaf Variable that requires grad is being used in an in-place operation.");
  a[0].mul_(2.0);
}

void without_history(const Actuals& a) {
  if (is_graded_leaf(a[0])) a[0].mul_(2.0);  // refused
  at::NoGradGuard off;
  a[0].mul_(2.0);
}

}  // namespace

std::vector<const Op*> writes() {
  static Op table[] = {
      double_entry("bad_double_inplace_value", [](const Actuals& a) { a[0].mul_(2.002); }),
      double_entry("bad_double_inplace_1e12", [](const Actuals& a) { a[0].mul_(2 + 2e-12); }),
      double_entry("bad_double_no_history", without_history),
      double_entry("bad_double_no_version", without_version),
      double_entry("bad_double_no_leaf_check", without_leaf_check),
      double_entry("bad_double_wrong_words", with_wrong_words),
      sin_entry(
          "bad_sin_inplace_gradient", [](const Actuals& a) { return a[0].sin(); },
          [](const Actuals& a) { call_inplace(half_gradient, a[0]); }),
      sin_entry(
          "bad_sin_inplace_stale", [](const Actuals& a) { return a[0].sin(); },
          [](const Actuals& a) { call_inplace(from_result, a[0]); }),
      sin_entry("bad_sin_keeps_copy", [](const Actuals& a) { return call(keeps_copy, a[0]); }),
      exp_entry("bad_exp_keeps_copy", [](const Actuals& a) { return call(exp_copy, a[0]); }),
      exp_entry("bad_exp_keeps_operand", [](const Actuals& a) { return call(exp_both, a[0]); }),
      mul_entry("bad_mul_keeps_all", [](const Actuals& a) { return call(keeps_all, a[0], a[1]); }),
  };
  return ops::entries(table);
}

}  // namespace gradsmith::plant
