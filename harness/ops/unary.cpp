// Functions of one number: neg, abs, exponentials, logarithms, roots, trigonometric and hyperbolic functions, erf.
// Which of them derive from the saved result is settled in tape.hpp; `saves` repeats it for the expectation model.
#include "harness/actuals.hpp"
#include "harness/ops/family.hpp"

namespace gradsmith::ops {
namespace {

constexpr int self = 0;

/// The gradient is grad * sgn(self): 0 at 0 and at NaN.
Var magnitude(const Var& x) {
  if (x > 0) return x;
  if (x < 0) return -x;
  return custom(abs(x.v), x, 0.0);
}

/// E23b: nor has it one of forward mode.
std::string_view no_inplace_forward(const Args&, bool inplace) { return inplace ? "E23b" : ""; }

/// E23: the in-place form has no derivative (autograd.md, section 6.3).
std::string_view no_inplace_backward(const Args&, bool inplace) { return inplace ? "E23" : ""; }

}  // namespace

std::vector<const Op*> unary() {
  static Op table[] = {
      {.name = "neg",
       .params = {tensor()},
       .maths = elementwise([](const Var& x, const Args&) { return -x; }),
       .pure = [](const Actuals& a) { return a[0].neg(); },
       .inplace = [](const Actuals& a) { a[0].neg_(); }},
      {.name = "abs",
       .params = {tensor()},
       .maths = elementwise([](const Var& x, const Args&) { return magnitude(x); }),
       .pure = [](const Actuals& a) { return a[0].abs(); },
       .inplace = [](const Actuals& a) { a[0].abs_(); },
       .saves = {{.reads = self}}},
      {.name = "exp",
       .params = {tensor()},
       .maths = elementwise([](const Var& x, const Args&) { return exp(x); }),
       .pure = [](const Actuals& a) { return a[0].exp(); },
       .inplace = [](const Actuals& a) { a[0].exp_(); },
       .domain = {{-30, 30}},
       .saves = {{.reads = result}}},
      {.name = "exp2",
       .params = {tensor()},
       .maths = elementwise([](const Var& x, const Args&) { return exp2(x); }),
       .pure = [](const Actuals& a) { return a[0].exp2(); },
       .inplace = [](const Actuals& a) { a[0].exp2_(); },
       .domain = {{-30, 30}},
       .saves = {{.reads = result}}},
      {.name = "expm1",
       .params = {tensor()},
       .maths = elementwise([](const Var& x, const Args&) { return expm1(x); }),
       .pure = [](const Actuals& a) { return a[0].expm1(); },
       .inplace = [](const Actuals& a) { a[0].expm1_(); },
       .domain = {{-30, 30}},
       .saves = {{.reads = result}}},
      {.name = "log",
       .params = {tensor()},
       .maths = elementwise([](const Var& x, const Args&) { return log(x); }),
       .pure = [](const Actuals& a) { return a[0].log(); },
       .inplace = [](const Actuals& a) { a[0].log_(); },
       .domain = {{1e-3, 1e6}},
       .saves = {{.reads = self}}},
      {.name = "log1p",
       .params = {tensor()},
       .maths = elementwise([](const Var& x, const Args&) { return log1p(x); }),
       .pure = [](const Actuals& a) { return a[0].log1p(); },
       .inplace = [](const Actuals& a) { a[0].log1p_(); },
       .domain = {{-0.9, 1e6}},
       .saves = {{.reads = self}}},
      {.name = "log2",
       .params = {tensor()},
       .maths = elementwise([](const Var& x, const Args&) { return log2(x); }),
       .pure = [](const Actuals& a) { return a[0].log2(); },
       .inplace = [](const Actuals& a) { a[0].log2_(); },
       .domain = {{1e-3, 1e6}},
       .saves = {{.reads = self}}},
      {.name = "sqrt",
       .params = {tensor()},
       .maths = elementwise([](const Var& x, const Args&) { return sqrt(x); }),
       .pure = [](const Actuals& a) { return a[0].sqrt(); },
       .inplace = [](const Actuals& a) { a[0].sqrt_(); },
       .domain = {{1e-3, 1e6}},
       .saves = {{.reads = result}}},
      {.name = "rsqrt",
       .params = {tensor()},
       .maths = elementwise([](const Var& x, const Args&) { return rsqrt(x); }),
       .pure = [](const Actuals& a) { return a[0].rsqrt(); },
       .inplace = [](const Actuals& a) { a[0].rsqrt_(); },
       .domain = {{1e-3, 1e6}},
       .saves = {{.reads = result}}},
      {.name = "reciprocal",
       .params = {tensor()},
       .maths = elementwise([](const Var& x, const Args&) { return reciprocal(x); }),
       .pure = [](const Actuals& a) { return a[0].reciprocal(); },
       .inplace = [](const Actuals& a) { a[0].reciprocal_(); },
       .domain = {{.apart = 1e-2}},
       .saves = {{.reads = result}}},
      {.name = "sin",
       .params = {tensor()},
       .maths = elementwise([](const Var& x, const Args&) { return sin(x); }),
       .pure = [](const Actuals& a) { return a[0].sin(); },
       .inplace = [](const Actuals& a) { a[0].sin_(); },
       .domain = {{-1e3, 1e3}},
       .saves = {{.reads = self}}},
      {.name = "cos",
       .params = {tensor()},
       .maths = elementwise([](const Var& x, const Args&) { return cos(x); }),
       .pure = [](const Actuals& a) { return a[0].cos(); },
       .inplace = [](const Actuals& a) { a[0].cos_(); },
       .domain = {{-1e3, 1e3}},
       .saves = {{.reads = self}}},
      {.name = "tan",
       .params = {tensor()},
       .maths = elementwise([](const Var& x, const Args&) { return tan(x); }),
       .pure = [](const Actuals& a) { return a[0].tan(); },
       .inplace = [](const Actuals& a) { a[0].tan_(); },
       .domain = {{-1.4, 1.4}},
       .saves = {{.reads = result}}},
      {.name = "atan",
       .params = {tensor()},
       .maths = elementwise([](const Var& x, const Args&) { return atan(x); }),
       .pure = [](const Actuals& a) { return a[0].atan(); },
       .inplace = [](const Actuals& a) { a[0].atan_(); },
       .saves = {{.reads = self}}},
      {.name = "sinh",
       .params = {tensor()},
       .maths = elementwise([](const Var& x, const Args&) { return sinh(x); }),
       .pure = [](const Actuals& a) { return a[0].sinh(); },
       .inplace = [](const Actuals& a) { a[0].sinh_(); },
       .domain = {{-30, 30}},
       .saves = {{.reads = self}}},
      {.name = "cosh",
       .params = {tensor()},
       .maths = elementwise([](const Var& x, const Args&) { return cosh(x); }),
       .pure = [](const Actuals& a) { return a[0].cosh(); },
       .inplace = [](const Actuals& a) { a[0].cosh_(); },
       .domain = {{-30, 30}},
       .saves = {{.reads = self}}},
      {.name = "asinh",
       .params = {tensor()},
       .maths = elementwise([](const Var& x, const Args&) { return asinh(x); }),
       .pure = [](const Actuals& a) { return a[0].asinh(); },
       .inplace = [](const Actuals& a) { a[0].asinh_(); },
       .saves = {{.reads = self}},
       .backward_refusal = no_inplace_backward,
       .forward_refusal = no_inplace_forward},
      {.name = "erf",
       .params = {tensor()},
       .maths = elementwise([](const Var& x, const Args&) { return erf(x); }),
       .pure = [](const Actuals& a) { return a[0].erf(); },
       .inplace = [](const Actuals& a) { a[0].erf_(); },
       .domain = {{-5, 5}},
       .saves = {{.reads = self}}},
  };
  return entries(table);
}

}  // namespace gradsmith::ops
