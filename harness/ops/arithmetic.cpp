// Arithmetic of two and three operands: add, sub, mul, div, pow, addcmul, addcdiv, lerp, maximum, minimum.
#include "harness/actuals.hpp"
#include "harness/layout.hpp"
#include "harness/ops/family.hpp"
#include "harness/ops/lanes.hpp"

namespace gradsmith::ops {
namespace {

constexpr int self = 0, other = 1;
constexpr Interval all_reals{}, divisor{.apart = 1e-2};

bool has_tensor_1(const Args& at, const std::vector<TensorInfo>&) { return at.is_tensor(1); }
bool has_tensor_2(const Args& at, const std::vector<TensorInfo>&) { return at.is_tensor(2); }

Param operand(std::string_view name, std::vector<Argument> numbers) {
  Param param = tensor_or_number(name);
  param.choices = std::move(numbers);
  return param;
}

/// Elementwise over the tensors alone: a number is an attribute of these kernels and no operand of their iterator,
/// which shows in the strides of the result.
Shaped tensors_only(const Call& call) {
  Shape shape;
  std::vector<const Layout*> layouts;
  CastLayouts cast(call);
  for (std::size_t i = 0; i < call.tensors.size(); ++i) {
    if (!call.tensors[i]) continue;
    const auto wider = broadcast(shape, call.shape(i));
    if (!wider) return refused_step("E19");
    shape = *wider;
    layouts.push_back(cast.of(call, i));
  }
  return one_result(elementwise_layout(layouts, false, shape));
}

/// x + alpha * y. The scalar loop of 16-bit types rounds the product to the type, where it may be infinite; the vectorised
/// one and CUDA do not.
Var add_scaled(const Var& x, const Var& y, double alpha) {
  if (alpha == 1) return x + y;
  const Lanes sum = fused(alpha, y.v, x.v);
  const bool rounds = unit_roundoff(Noise::computing()) > unit_roundoff(DType::f32);
  return custom(rounds ? either_way(sum, x.v + stored(alpha * y.v)) : sum, x, 1.0, y, alpha);
}

Lanes power(const Lanes& base, const Lanes& exponent) {
  return pow(base, exponent);
}

/// A number as exponent: 0.5 and -0.5 have kernels of their own, which differ from `pow` at -0 and -inf, though in float16 not
/// on the CPU; -2 is the reciprocal of a square, which bf16 keeps in the type.
Lanes power(const Lanes& base, double exponent) {
  const DType type = Noise::computing();
  const auto root = [&](const Lanes& own) { return type == DType::f16 ? either_way(pow(base, Lanes(exponent)), own) : own; };
  if (exponent == 0.5) return root(sqrt(base));
  if (exponent == -0.5) return root(rsqrt(base));
  const Lanes plain = pow(base, Lanes(exponent));
  return exponent == -2 && type == DType::bf16 ? either_way(plain, Lanes(1.0) / stored(base * base)) : plain;
}

/// pow_backward, pow_backward_self and pow_backward_exponent of FunctionsManual.cpp. An exponent of 0 cuts the path to
/// the base, a base of 0 under an exponent >= 0 the path to the exponent.
Var pow_as_libtorch(const Var& x, const Var& y, const Args& at) {
  if (at.is_number(1)) {
    const double exponent = at[1];
    if (exponent == 0) return 1.0;
    if (exponent < 0 || exponent != std::nearbyint(exponent)) note_pole(x);
    const Lanes slope = Lanes(exponent) * power(x.v, exponent - 1);
    return custom(power(x.v, exponent), x, slope);
  }
  note_pole(x);
  if (x.exact() <= 0) note_pole(y, x.exact() == 0 ? 0 : std::nearbyint(y.exact()));  // below 0 whole exponents alone have powers
  const Lanes r = stored(power(x.v, y.v));
  // The slope along the base is 0 at an exponent of 0, but not its own slope along the exponent, which LibTorch loses.
  const bool cut = y.exact() == 0 && (x.exact() == 0 || !Duals::on());
  const Var base = cut ? constant(x) : x;
  const Var exponent = x.exact() == 0 && y.exact() >= 0 ? constant(y) : y;
  const Lanes by_exponent = r * log(x.v), by_base = y.v * power(x.v, stored(y.v - 1.0));
  return custom(r, base, by_base, exponent, by_exponent);
}

/// The larger or the smaller. A tie gives half to each; with a NaN both get all, since only `<` and `>` mask.
Var extreme(const Var& a, const Var& b, bool larger) {
  if (a == b) return custom(either_zero(a).v, a, 0.5, b, 0.5);
  if (a < b) return larger ? b : a;
  if (a > b) return larger ? a : b;
  return custom(a.v + b.v, a, 1.0, b, 1.0);
}

/// LibTorch takes the end that is nearer, so that weight 0 and 1 give an end exactly.
Var lerp(const Var& from, const Var& to, const Var& weight) {
  const Lanes span = spread_apart(to.v, from.v), rest = Lanes(1.0) - weight.v;
  const bool near_from = std::fabs(weight.exact()) < 0.5;
  const Lanes value = near_from ? fused(weight.v, span, from.v) : fused(-span, rest, to.v);
  const Var ends = custom(value, from, rest, to, weight.v);
  return custom(value, ends, 1.0, weight, span);
}

/// self + value * t1 * t2, with the gradients of derivatives.yaml.
Var addcmul(const Var& x, const Var& t1, const Var& t2, double value) {
  const Lanes first = Lanes(value) * t1.v, by_t1 = t2.v * value;
  const Var product = custom(first * t2.v, t1, by_t1, t2, first);
  return custom(fused(first, t2.v, x.v), x, 1.0, product, 1.0);
}

/// self + value * t1 / t2, with the gradients of derivatives.yaml.
Var addcdiv(const Var& x, const Var& t1, const Var& t2, double value) {
  note_pole(t2);
  const Lanes by_t2 = -(Lanes(value) * t1.v / t2.v / t2.v);  // forward mode's order: the square may leave the numbers
  const Lanes by_t1 = Lanes(value) / t2.v;
  return x + custom(Lanes(value) * t1.v / t2.v, t1, by_t1, t2, by_t2);
}

}  // namespace

std::vector<const Op*> arithmetic() {
  static Op table[] = {
      {.name = "add",
       .params = {tensor(), operand("other", {0.5, -2.0}), number("alpha", 1.0, {2.0, -0.5})},
       .maths =
           elementwise2([](const Var& x, const Var& y, const Args& at) { return add_scaled(x, y, at[2]); }),
       .pure =
           [](const Actuals& a) {
             return a.is_tensor(1) ? a[0].add(a[1], a.number(2)) : a[0].add(a.number(1), a.number(2));
           },
       .inplace =
           [](const Actuals& a) {
             a.is_tensor(1) ? a[0].add_(a[1], a.number(2)) : a[0].add_(a.number(1), a.number(2));
           },
       .memory = number_as_tensor},
      {.name = "sub",
       .params = {tensor(), operand("other", {0.5, -2.0}), number("alpha", 1.0, {2.0, -0.5})},
       .maths =
           elementwise2([](const Var& x, const Var& y, const Args& at) { return at[2] == 1 ? x - y : add_scaled(x, y, -at[2]); }),
       .pure =
           [](const Actuals& a) {
             return a.is_tensor(1) ? a[0].sub(a[1], a.number(2)) : a[0].sub(a.number(1), a.number(2));
           },
       .inplace =
           [](const Actuals& a) {
             a.is_tensor(1) ? a[0].sub_(a[1], a.number(2)) : a[0].sub_(a.number(1), a.number(2));
           },
       .memory = number_as_tensor},
      {.name = "mul",
       .params = {tensor(), operand("other", {2.0, -0.5, 0.0})},
       .maths = elementwise2([](const Var& x, const Var& y, const Args&) { return x * y; }),
       .pure = [](const Actuals& a) { return a.is_tensor(1) ? a[0].mul(a[1]) : a[0].mul(a.number(1)); },
       .inplace = [](const Actuals& a) { a.is_tensor(1) ? a[0].mul_(a[1]) : a[0].mul_(a.number(1)); },
       .saves = {{.of = self, .reads = other}, {.of = other, .reads = self}},
       .memory = number_as_tensor,
       .scalar_in_float = true},
      {.name = "div",
       .params = {tensor(), operand("other", {2.0, -0.7})},
       .maths = elementwise2([](const Var& x, const Var& y, const Args&) {
         note_pole(y);
         return x / y;
       }),
       .pure = [](const Actuals& a) { return a.is_tensor(1) ? a[0].div(a[1]) : a[0].div(a.number(1)); },
       .inplace = [](const Actuals& a) { a.is_tensor(1) ? a[0].div_(a[1]) : a[0].div_(a.number(1)); },
       .domain = {all_reals, divisor},
       .saves = {{.reads = other}, {.of = other, .reads = self}},
       .memory = number_as_tensor,
       .scalar_in_float = true},
      {.name = "pow",
       .params = {tensor(), operand("exponent", {2.0, 3.0, 0.5, -1.0, 1.5, 0.0})},
       .shape = tensors_only,
       .maths = elementwise2(pow_as_libtorch),
       .pure = [](const Actuals& a) { return a.is_tensor(1) ? a[0].pow(a[1]) : a[0].pow(a.number(1)); },
       .inplace = [](const Actuals& a) { a.is_tensor(1) ? a[0].pow_(a[1]) : a[0].pow_(a.number(1)); },
       .domain = {{1e-2, 100}, {-3, 3}},
       .saves = {{.reads = self}, {.reads = other, .when = has_tensor_1}, {.reads = result, .when = has_tensor_1}}},
      {.name = "addcmul",
       .params = {tensor(), tensor("tensor1"), tensor("tensor2"), number("value", 1.0, {0.5, -2.0})},
       .maths = elementwise3(
           [](const Var& x, const Var& t1, const Var& t2, const Args& at) { return addcmul(x, t1, t2, at[3]); }),
       .pure = [](const Actuals& a) { return at::addcmul(a[0], a[1], a[2], a.number(3)); },
       .inplace = [](const Actuals& a) { a[0].addcmul_(a[1], a[2], a.number(3)); },
       .saves = {{.of = 1, .reads = 2}, {.of = 2, .reads = 1}}},
      {.name = "addcdiv",
       .params = {tensor(), tensor("tensor1"), tensor("tensor2"), number("value", 1.0, {0.5, -2.0})},
       .maths = elementwise3(
           [](const Var& x, const Var& t1, const Var& t2, const Args& at) { return addcdiv(x, t1, t2, at[3]); }),
       .pure = [](const Actuals& a) { return at::addcdiv(a[0], a[1], a[2], a.number(3)); },
       .inplace = [](const Actuals& a) { a[0].addcdiv_(a[1], a[2], a.number(3)); },
       .domain = {all_reals, all_reals, divisor},
       .saves = {{.reads = 2}, {.of = 2, .reads = 1}}},
      {.name = "lerp",
       .params = {tensor(), tensor("end"), operand("weight", {0.25, 0.75, 0.0, 1.5})},
       .shape = tensors_only,
       .maths = elementwise3(
           [](const Var& x, const Var& end, const Var& weight, const Args&) { return lerp(x, end, weight); }),
       .pure =
           [](const Actuals& a) {
             return a.is_tensor(2) ? at::lerp(a[0], a[1], a[2]) : at::lerp(a[0], a[1], a.number(2));
           },
       .inplace = [](const Actuals& a) { a.is_tensor(2) ? a[0].lerp_(a[1], a[2]) : a[0].lerp_(a[1], a.number(2)); },
       .saves = {{.reads = 2, .when = has_tensor_2},
                 {.of = 2, .reads = 0, .when = has_tensor_2},
                 {.of = 2, .reads = 1, .when = has_tensor_2}},
       .mixing = Mixing::refused},
      {.name = "maximum",
       .params = {tensor(), tensor("other")},
       .maths = elementwise2([](const Var& x, const Var& y, const Args&) { return extreme(x, y, true); }),
       .pure = [](const Actuals& a) { return at::maximum(a[0], a[1]); },
       .saves = {{.reads = self}, {.reads = other}}},
      {.name = "minimum",
       .params = {tensor(), tensor("other")},
       .maths = elementwise2([](const Var& x, const Var& y, const Args&) { return extreme(x, y, false); }),
       .pure = [](const Actuals& a) { return at::minimum(a[0], a[1]); },
       .saves = {{.reads = self}, {.reads = other}}},
  };
  return entries(table);
}

}  // namespace gradsmith::ops
