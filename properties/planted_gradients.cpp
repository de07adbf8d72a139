// Planted faults in derivatives: the value is right, what flows back is not.
#include <limits>

#include "properties/planted_ops.hpp"

namespace gradsmith::plant {
namespace {

using T = const at::Tensor&;

const Unary factor_1e3{exp_value, [](T grad, T y) { return grad * y * (1 + 1e-3); }, Keeps::result};
const Unary factor_1e6{exp_value, [](T grad, T y) { return grad * y * (1 + 1e-6); }, Keeps::result};
const Unary negative_1e6{exp_value, [](T grad, T y) { return grad * y * at::where(y < 1, 1 + 1e-6, 1.0); },
                         Keeps::result};
const Unary sign_below_zero{exp_value, [](T grad, T y) { return at::where(y < 1, -grad * y, grad * y); },
                            Keeps::result};

const Unary first_element{sin_value, [](T grad, T x) {
                            at::Tensor out = (grad * x.cos()).contiguous();
                            if (out.numel() > 0) out.view({-1})[0] *= 2;
                            return out;
                          }};
const Unary last_element{sin_value, [](T grad, T x) {
                           at::Tensor out = (grad * x.cos()).contiguous();
                           if (out.numel() > 1) out.view({-1})[-1] = 0;
                           return out;
                         }};
const Unary beyond_16{sin_value, [](T grad, T x) { return grad * x.cos() * (x.numel() > 16 ? 1.5 : 1.0); }};
const Unary no_cotangent{sin_value, [](T, T x) { return x.cos(); }};
const Unary arrives_twice{sin_value, [](T grad, T x) { return grad * x.cos() + grad * x.cos(); }};
const Unary again{sin_value, [](T grad, T x) { return grad * x.cos(); }, Keeps::operand, 2};
const Unary strided_gradient{
    sin_value, [](T grad, T x) { return grad * x.cos() * (x.is_non_overlapping_and_dense() ? 1.0 : 0.5); }};
const Unary vector_only{sin_value, [](T grad, T x) { return grad * x.cos() * (x.dim() == 0 ? 0.5 : 1.0); }};
const Unary transposed_gradient{sin_value, [](T grad, T x) {  // reads a transposed operand in the order of its memory
                                  const bool turned = x.dim() == 2 && x.stride(0) > 0 && x.stride(0) < x.stride(1);
                                  return grad * (turned ? x.t().reshape(x.sizes()) : x).cos();
                                }};

const Unary infinite_below_zero{sin_value, [](T grad, T x) { return grad * x.cos() / at::where(x < 0, 0.0, 1.0); }};
const Unary no_number_below_zero{sin_value, [](T grad, T x) {
                                   return at::where(x < 0, std::numeric_limits<double>::quiet_NaN(), grad * x.cos());
                                 }};

const Unary float_constant{[](T x) { return x / 6; }, [](T grad, T) { return grad * static_cast<double>(1.0f / 6.0f); },
                           Keeps::nothing};
const Unary wrong_side{[](T x) { return at::relu(x); }, [](T grad, T y) { return grad * (y >= 0); }, Keeps::result};
const Unary half_missing{[](T x) { return x * x.sin(); }, [](T grad, T x) { return grad * x.sin(); }};

const Binary swapped{mul_value, mul_by_self, mul_by_other, true};
const Binary dropped_other{mul_value, mul_by_other, [](T grad, T x, T) { return at::zeros_like(grad * x); }};
const Binary own_sign{mul_value, mul_by_other, [](T grad, T x, T) { return -grad * x; }};
const Binary mean_over_rows{mul_value, mul_by_other, mul_by_self, false, 0.5};

}  // namespace

std::vector<const Op*> gradients() {
  static Op table[] = {
      exp_entry("bad_exp_factor_1e3", [](const Actuals& a) { return call(factor_1e3, a[0]); }),
      exp_entry("bad_exp_factor_1e6", [](const Actuals& a) { return call(factor_1e6, a[0]); }),
      exp_entry("bad_exp_negative_1e6", [](const Actuals& a) { return call(negative_1e6, a[0]); }),
      exp_entry("bad_exp_sign_below_zero", [](const Actuals& a) { return call(sign_below_zero, a[0]); }),
      sin_entry("bad_sin_first_element", [](const Actuals& a) { return call(first_element, a[0]); }),
      sin_entry("bad_sin_last_element", [](const Actuals& a) { return call(last_element, a[0]); }),
      sin_entry("bad_sin_beyond_16", [](const Actuals& a) { return call(beyond_16, a[0]); }),
      sin_entry("bad_sin_no_cotangent", [](const Actuals& a) { return call(no_cotangent, a[0]); }),
      sin_entry("bad_sin_twice", [](const Actuals& a) { return call(arrives_twice, a[0]); }),
      sin_entry("bad_sin_second_backward", [](const Actuals& a) { return call(again, a[0]); }),
      sin_entry("bad_sin_strided", [](const Actuals& a) { return call(strided_gradient, a[0]); }),
      sin_entry("bad_sin_0dim", [](const Actuals& a) { return call(vector_only, a[0]); }),
      sin_entry("bad_sin_transposed", [](const Actuals& a) { return call(transposed_gradient, a[0]); }),
      sin_entry("bad_sin_infinite", [](const Actuals& a) { return call(infinite_below_zero, a[0]); }),
      sin_entry("bad_sin_no_number", [](const Actuals& a) { return call(no_number_below_zero, a[0]); }),
      sixth_entry("bad_sixth_float", [](const Actuals& a) { return call(float_constant, a[0]); }),
      relu_entry("bad_relu_at_zero", [](const Actuals& a) { return call(wrong_side, a[0]); }),
      {.name = "bad_x_sin_x_half",
       .params = {ops::tensor()},
       .maths = ops::elementwise([](const Var& x, const Args&) { return x * sin(x); }),
       .pure = [](const Actuals& a) { return call(half_missing, a[0]); },
       .domain = {{-1e3, 1e3}},
       .saves = {{.reads = self}}},
      {.name = "bad_mul_swapped",
       .params = {ops::tensor(), ops::tensor("other")},
       .maths = ops::elementwise2([](const Var& x, const Var& y, const Args&) { return x * y; }),
       .pure = [](const Actuals& a) { return call(swapped, a[0], a[1]); },
       .saves = {{.reads = self}, {.reads = other}}},
      mul_entry("bad_mul_other_dropped", [](const Actuals& a) { return call(dropped_other, a[0], a[1]); }),
      mul_entry("bad_mul_other_sign", [](const Actuals& a) { return call(own_sign, a[0], a[1]); }),
      mul_entry("bad_mul_broadcast", [](const Actuals& a) { return call(mean_over_rows, a[0], a[1]); }),
  };
  return ops::entries(table);
}

}  // namespace gradsmith::plant
