// Entries of the op table that planted ops share: true to the op they claim to be.
#include "properties/planted_ops.hpp"

namespace gradsmith::plant {

Op exp_entry(std::string_view name, Pure pure) {
  return {.name = name,
          .params = {ops::tensor()},
          .maths = ops::elementwise([](const Var& x, const Args&) { return exp(x); }),
          .pure = pure,
          .domain = {{-30, 30}},
          .saves = {{.reads = result}},
          .forward_refusal = no_forward_mode};
}

Op sin_entry(std::string_view name, Pure pure, Inplace inplace) {
  return {.name = name,
          .params = {ops::tensor()},
          .maths = ops::elementwise([](const Var& x, const Args&) { return sin(x); }),
          .pure = pure,
          .inplace = inplace,
          .domain = {{-1e3, 1e3}},
          .saves = {{.reads = self}},
          .forward_refusal = no_forward_mode,
          .twin_bitwise = false};
}

Op dual_sin_entry(std::string_view name, Pure pure) {
  Op entry = sin_entry(name, pure);
  entry.forward_refusal = nullptr;
  return entry;
}

Op relu_entry(std::string_view name, Pure pure) {
  return {.name = name,
          .params = {ops::tensor()},
          .maths = ops::elementwise([](const Var& x, const Args&) { return x > 0      ? x
                                                                           : isnan(x) ? x
                                                                                      : Var(0.0); }),
          .pure = pure,
          .saves = {{.reads = result}},
          .forward_refusal = no_forward_mode};
}

Op sixth_entry(std::string_view name, Pure pure, Inplace inplace) {
  return {.name = name,
          .params = {ops::tensor()},
          .maths = ops::elementwise([](const Var& x, const Args&) { return x / 6.0; }),
          .pure = pure,
          .inplace = inplace,
          .forward_refusal = no_forward_mode,
          .twin_bitwise = false};
}

Op double_entry(std::string_view name, Inplace inplace) {
  return {.name = name,
          .params = {ops::tensor()},
          .maths = ops::elementwise([](const Var& x, const Args&) { return x * 2.0; }),
          .pure = [](const Actuals& a) { return a[0].mul(2.0); },
          .inplace = inplace,
          .memory = [](const Call&, bool) -> Extra { return {.most = sizeof(double)}; }};  // the 2
}

Op mul_entry(std::string_view name, Pure pure) {
  return {.name = name,
          .params = {ops::tensor(), ops::tensor("other")},
          .maths = ops::elementwise2([](const Var& x, const Var& y, const Args&) { return x * y; }),
          .pure = pure,
          .saves = {{.of = self, .reads = other}, {.of = other, .reads = self}},
          .forward_refusal = no_forward_mode};
}

}  // namespace gradsmith::plant
