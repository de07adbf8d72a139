// Right ops by the same means as the planted faults: whatever accuses one of them is wrong itself.
#include "harness/ops/view_shapes.hpp"
#include "properties/planted_ops.hpp"

namespace gradsmith::plant {
namespace {

using T = const at::Tensor&;

const Unary exponential{[](T x) { return x.exp(); }, [](T grad, T y) { return grad * y; }, Keeps::result};
const Unary tangent{[](T x) { return x.tan(); }, [](T grad, T y) { return grad * (1 + y * y); }, Keeps::result};
const Unary sine{[](T x) { return x.sin(); }, [](T grad, T x) { return grad * x.cos(); }};
const Unary sine_of_copy{[](T x) { return x.sin(); }, [](T grad, T x) { return grad * x.cos(); },
                         Keeps::copy_of_operand};
const Unary rectifier{[](T x) { return at::relu(x); }, [](T grad, T y) { return grad * (y > 0); }, Keeps::result};
const Unary sixth{[](T x) { return x / 6; }, [](T grad, T) { return grad / 6; }, Keeps::nothing};
const Binary product{[](T x, T y) { return x.mul(y); }, [](T grad, T, T y) { return grad * y; },
                     [](T grad, T x, T) { return grad * x; }};
const Binary product_of_both{[](T x, T y) { return x.mul(y); }, [](T grad, T, T y) { return grad * y; },
                             [](T grad, T x, T) { return grad * x; }, true};

}  // namespace

std::vector<const Op*> right() {
  static const auto times = ops::elementwise2([](const Var& x, const Var& y, const Args&) { return x * y; });
  static Op table[] = {
      {.name = "good_exp",
       .params = {ops::tensor()},
       .maths = ops::elementwise([](const Var& x, const Args&) { return exp(x); }),
       .pure = [](const Actuals& a) { return call(exponential, a[0]); },
       .domain = {{-30, 30}},
       .saves = {{.reads = result}}},
      {.name = "good_tan",
       .params = {ops::tensor()},
       .maths = ops::elementwise([](const Var& x, const Args&) { return tan(x); }),
       .pure = [](const Actuals& a) { return call(tangent, a[0]); },
       .domain = {{-1.4, 1.4}},
       .saves = {{.reads = result}}},
      {.name = "good_sin",
       .params = {ops::tensor()},
       .maths = ops::elementwise([](const Var& x, const Args&) { return sin(x); }),
       .pure = [](const Actuals& a) { return call(sine, a[0]); },
       .inplace = [](const Actuals& a) { call_inplace(sine_of_copy, a[0]); },
       .domain = {{-1e3, 1e3}},
       .saves = {{.reads = self}},
       .twin_bitwise = false},
      {.name = "good_relu",
       .params = {ops::tensor()},
       .maths = ops::elementwise([](const Var& x, const Args&) { return x > 0      ? x
                                                                        : isnan(x) ? x
                                                                                   : Var(0.0); }),
       .pure = [](const Actuals& a) { return call(rectifier, a[0]); },
       .saves = {{.reads = result}}},
      {.name = "good_sixth",
       .params = {ops::tensor()},
       .maths = ops::elementwise([](const Var& x, const Args&) { return x / 6.0; }),
       .pure = [](const Actuals& a) { return call(sixth, a[0]); },
       .inplace = [](const Actuals& a) { call_inplace(sixth, a[0]); },
       .twin_bitwise = false},
      {.name = "good_mul",
       .params = {ops::tensor(), ops::tensor("other")},
       .maths = times,
       .pure = [](const Actuals& a) { return call(product, a[0], a[1]); },
       .saves = {{.of = self, .reads = other}, {.of = other, .reads = self}}},
      {.name = "good_mul_keeps_both",
       .params = {ops::tensor(), ops::tensor("other")},
       .maths = times,
       .pure = [](const Actuals& a) { return call(product_of_both, a[0], a[1]); },
       .saves = {{.reads = self}, {.reads = other}}},
      {.name = "good_double",
       .params = {ops::tensor()},
       .maths = ops::elementwise([](const Var& x, const Args&) { return x * 2.0; }),
       .pure = [](const Actuals& a) { return a[0].mul(2); },
       .inplace = [](const Actuals& a) { a[0].mul_(2); }},
      {.name = "good_narrow",
       .params = {ops::tensor(), ops::integer("dim"), ops::integer("start"), ops::integer("length")},
       .shape = ops::view_shapes::narrow,
       .pure = [](const Actuals& a) { return at::narrow(a[0], a.dim(1), a.integer(2), a.integer(3)); },
       .alias = Alias::view},
  };
  return ops::entries(table);
}

}  // namespace gradsmith::plant
