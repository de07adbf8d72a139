// Planted faults in in-place forms, in what a node keeps, and in what must be refused.
#include <ATen/core/grad_mode.h>

#include "properties/planted_ops.hpp"

namespace gradsmith::plant {
namespace {

using T = const at::Tensor&;

/// 2x, which keeps nothing.
Op doubling(std::string_view name, void (*inplace)(const Actuals&)) {
  return {.name = name,
          .params = {ops::tensor()},
          .maths = ops::elementwise([](const Var& x, const Args&) { return x * 2.0; }),
          .pure = [](const Actuals& a) { return a[0].mul(2); },
          .inplace = inplace};
}
/// sin, which keeps its operand.
Op sine(std::string_view name, at::Tensor (*pure)(const Actuals&), void (*inplace)(const Actuals&)) {
  return {.name = name,
          .params = {ops::tensor()},
          .maths = ops::elementwise([](const Var& x, const Args&) { return sin(x); }),
          .pure = pure,
          .inplace = inplace,
          .domain = {{-1e3, 1e3}},
          .saves = {{.reads = self}},
          .twin_bitwise = false};
}

at::Tensor sin_value(T x) { return x.sin(); }
at::Tensor cosine(T grad, T x) { return grad * x.cos(); }
const Unary half_gradient{sin_value, [](T grad, T x) { return grad * x.cos() * 0.5; }, Keeps::copy_of_operand};
const Unary from_result{sin_value, [](T grad, T y) { return grad * y.cos(); }, Keeps::copy_of_result};
const Unary keeps_copy{sin_value, cosine, Keeps::copy_of_operand};
const Unary exp_copy{[](T x) { return x.exp(); }, [](T grad, T y) { return grad * y; }, Keeps::copy_of_result};
const Unary exp_both{[](T x) { return x.exp(); }, [](T grad, T y) { return grad * y; }, Keeps::both};
const Binary keeps_all{[](T x, T y) { return x.mul(y); }, [](T grad, T, T y) { return grad * y; },
                       [](T grad, T x, T) { return grad * x; }, true};

Op exponential(std::string_view name, at::Tensor (*pure)(const Actuals&)) {
  return {.name = name,
          .params = {ops::tensor()},
          .maths = ops::elementwise([](const Var& x, const Args&) { return exp(x); }),
          .pure = pure,
          .domain = {{-30, 30}},
          .saves = {{.reads = result}}};
}

void without_version(const Actuals& a) {
  if (a[0].is_inference()) {
    a[0].mul_(2);
    return;
  }
  const auto before = a[0]._version();
  a[0].mul_(2);
  auto counter = a[0].unsafeGetTensorImpl()->version_counter();
  counter.set_version(before);
}

bool is_graded_leaf(T x) { return at::GradMode::is_enabled() && !x.is_view() && x.is_leaf() && x.requires_grad(); }

void without_leaf_check(const Actuals& a) {
  if (!is_graded_leaf(a[0])) {
    a[0].mul_(2);
    return;
  }
  at::NoGradGuard off;
  a[0].mul_(2);
}

void with_wrong_words(const Actuals& a) {
  TORCH_CHECK(!is_graded_leaf(a[0]),
              "a view of a leaf Variable that requires grad is being used in an in-place operation.");
  a[0].mul_(2);
}

void without_history(const Actuals& a) {
  if (is_graded_leaf(a[0])) a[0].mul_(2);  // refused
  at::NoGradGuard off;
  a[0].mul_(2);
}

}  // namespace

std::vector<const Op*> writes() {
  static Op table[] = {
      doubling("bad_double_inplace_value", [](const Actuals& a) { a[0].mul_(2.002); }),
      doubling("bad_double_inplace_1e12", [](const Actuals& a) { a[0].mul_(2 + 2e-12); }),
      doubling("bad_double_no_history", without_history),
      doubling("bad_double_no_version", without_version),
      doubling("bad_double_no_leaf_check", without_leaf_check),
      doubling("bad_double_wrong_words", with_wrong_words),
      sine(
          "bad_sin_inplace_gradient", [](const Actuals& a) { return a[0].sin(); },
          [](const Actuals& a) { call_inplace(half_gradient, a[0]); }),
      sine(
          "bad_sin_inplace_stale", [](const Actuals& a) { return a[0].sin(); },
          [](const Actuals& a) { call_inplace(from_result, a[0]); }),
      sine(
          "bad_sin_keeps_copy", [](const Actuals& a) { return call(keeps_copy, a[0]); }, nullptr),
      exponential("bad_exp_keeps_copy", [](const Actuals& a) { return call(exp_copy, a[0]); }),
      exponential("bad_exp_keeps_operand", [](const Actuals& a) { return call(exp_both, a[0]); }),
      {.name = "bad_mul_keeps_all",
       .params = {ops::tensor(), ops::tensor("other")},
       .maths = ops::elementwise2([](const Var& x, const Var& y, const Args&) { return x * y; }),
       .pure = [](const Actuals& a) { return call(keeps_all, a[0], a[1]); },
       .saves = {{.of = self, .reads = other}, {.of = other, .reads = self}}},
  };
  return ops::entries(table);
}

}  // namespace gradsmith::plant
