// Right ops by the same means as the planted faults: whatever accuses one of them is wrong itself.
#include "harness/ops/view_shapes.hpp"
#include "properties/planted_ops.hpp"

namespace gradsmith::plant {
namespace {

using T = const at::Tensor&;

const Unary exponential{exp_value, exp_gradient, Keeps::result};
const Unary tangent{[](T x) { return x.tan(); }, [](T grad, T y) { return grad * (1 + y * y); }, Keeps::result};
const Unary sine{sin_value, sin_gradient};
const Unary sine_of_copy{sin_value, sin_gradient, Keeps::copy_of_operand};
const Unary rectifier{[](T x) { return at::relu(x); }, [](T grad, T y) { return grad * (y > 0); }, Keeps::result};
const Unary sixth{[](T x) { return x / 6; }, [](T grad, T) { return grad / 6; }, Keeps::nothing};
const Binary product{mul_value, mul_by_other, mul_by_self};
const Binary product_of_both{mul_value, mul_by_other, mul_by_self, true};

/// The entry, with the bytes that its calls take besides.
Op taking(Op entry, Extra (*memory)(const Call&, bool)) {
  entry.memory = memory;
  return entry;
}

}  // namespace

std::vector<const Op*> right() {
  static Op table[] = {
      exp_entry("good_exp", [](const Actuals& a) { return call(exponential, a[0]); }),
      {.name = "good_tan",
       .params = {ops::tensor()},
       .maths = ops::elementwise([](const Var& x, const Args&) { return tan(x); }),
       .pure = [](const Actuals& a) { return call(tangent, a[0]); },
       .domain = {{-1.4, 1.4}},
       .saves = {{.reads = result}},
       .forward_refusal = no_forward_mode},
      taking(sin_entry(
                 "good_sin", [](const Actuals& a) { return call(sine, a[0]); },
                 [](const Actuals& a) { call_inplace(sine_of_copy, a[0]); }),
             [](const Call& call, bool recorded) -> Extra {  // the value, and a copy that a node would keep
               const std::int64_t x = ops::bytes_of(call, 0);
               return {.most = call.inplace ? x + (recorded ? 0 : x) : 0};
             }),
      relu_entry("good_relu", [](const Actuals& a) { return call(rectifier, a[0]); }),
      taking(sixth_entry(
                 "good_sixth", [](const Actuals& a) { return call(sixth, a[0]); },
                 [](const Actuals& a) { call_inplace(sixth, a[0]); }),
             [](const Call& call, bool) -> Extra {  // the 6, in two forms, and the value before it is copied over
               constexpr auto number = static_cast<std::int64_t>(sizeof(double));
               return {.most = 2 * number + (call.inplace ? ops::bytes_of(call, 0) : 0)};
             }),
      mul_entry("good_mul", [](const Actuals& a) { return call(product, a[0], a[1]); }),
      {.name = "good_mul_keeps_both",
       .params = {ops::tensor(), ops::tensor("other")},
       .maths = ops::elementwise2([](const Var& x, const Var& y, const Args&) { return x * y; }),
       .pure = [](const Actuals& a) { return call(product_of_both, a[0], a[1]); },
       .saves = {{.reads = self}, {.reads = other}},
       .forward_refusal = no_forward_mode},
      double_entry("good_double", [](const Actuals& a) { a[0].mul_(2.0); }),
      {.name = "good_narrow",
       .params = {ops::tensor(), ops::integer("dim"), ops::integer("start"), ops::integer("length")},
       .shape = ops::view_shapes::narrow,
       .pure = [](const Actuals& a) { return at::narrow(a[0], a.dim(1), a.integer(2), a.integer(3)); },
       .alias = Alias::view},
      dual_sin_entry("good_sin_dual", [](const Actuals& a) { return dual_sin(a[0], 1); }),
  };
  return ops::entries(table);
}

}  // namespace gradsmith::plant
