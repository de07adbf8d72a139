// Activations with an in-place form. Derivatives follow the formulas of LibTorch's kernels
// (ATen/native/cpu/Activation.cpp) where these round differently from the chain rule (numerics.md 3.3), ties its rules.
#include <algorithm>
#include <limits>

#include "harness/actuals.hpp"
#include "harness/layout.hpp"
#include "harness/ops/family.hpp"
#include "harness/ops/lanes.hpp"

namespace gradsmith::ops {
namespace {

const Var not_a_number(std::numeric_limits<double>::quiet_NaN());

/// The slope of elu below 0 as elu_double_backward has it: constant at 0 itself.
Lanes straight_at_zero(const Lanes& slope, const Lanes& x) { return x.exact() == 0 ? slope.with_tangents_of({}) : slope; }

// What elu, selu and celu are: scale * x, and scale * alpha * (e^(input_scale * x) - 1) up to 0.
Var exponential_unit(const Var& x, double alpha, double scale, double input_scale) {
  if (x > 0) return x * Var(scale);
  const Lanes inner = x.v * input_scale, depth = Lanes(alpha) * scale, steep = exp(inner);
  const Lanes slope = Lanes(input_scale) * depth * steep;
  return custom(with_either_zero(expm1(inner) * depth), x, straight_at_zero(slope, x.v));
}
// The same, derived from the result: r + scale * alpha cancels where r is saturated, and a positive x whose result
// underflows to 0 counts as negative.
Var exponential_unit_inplace(const Var& x, double alpha, double scale, double input_scale) {
  const Lanes depth = Lanes(alpha) * scale;
  const bool positive = x > 0;
  const Lanes r = stored(positive ? x.v * scale : with_either_zero(expm1(x.v * input_scale) * depth));
  return custom(r, x, positive && r.exact() != 0 ? Lanes(scale) : straight_at_zero(Lanes(input_scale) * (r + depth), r));
}
constexpr double selu_alpha = 1.6732632423543772848170429916717;  // ATen/native/Activation.cpp
constexpr double selu_scale = 1.0507009873554804934193349852946;

Var slope_below_zero(const Var& x, double slope) { return x > 0 ? x : x * Var(slope); }

Var clamp_between(const Var& x, double lo, double hi) {  // no derivative at the bounds, unlike clamp
  if (x <= lo) return either_zero(std::min(lo, hi));
  if (x >= hi) return hi;
  return x;
}

/// Inside the bounds and at them `x` passes, as up to LibTorch 2.13.
Var clamp_closed(const Var& x, const Var& lo, const Var& hi, const Args& at) {
  const bool below = !at.is_none(1), above = !at.is_none(2);
  if (isnan(x) || isnan(lo) || isnan(hi)) return not_a_number;
  if (below && above && hi < lo) return hi;
  if (below && x < lo) return lo;
  return above && x > hi ? hi : either_zero(x);
}
/// An operand and a bound equal to it: each gets half of the cotangent.
Var shared(const Var& x, const Var& bound) { return custom(either_zero(x).v, x, 0.5, bound, 0.5); }
/// From 2.14 on: flat at a bound that is a number; a bound that is a tensor shares the cotangent with an operand equal to it,
/// unless both bounds are (pull request 191142 of PyTorch).
Var clamp_shared(const Var& x, const Var& lo, const Var& hi, const Args& at) {
  const bool below = !at.is_none(1), above = !at.is_none(2);
  if (isnan(x) || isnan(lo) || isnan(hi)) return not_a_number;
  if (below && above && hi < lo) return hi;
  const bool at_lo = below && x == lo, at_hi = above && x == hi;
  if ((at_lo && at.is_number(1)) || (at_hi && at.is_number(2))) return constant(either_zero(x));
  if (at_lo != at_hi) return at_lo ? shared(x, lo) : shared(x, hi);
  if (below && x < lo) return lo;
  return above && x > hi ? hi : either_zero(x);
}

/// erf as float kernels have it in gelu (ATen's and oneDNN's): Abramowitz and Stegun, 7.1.26, whose error is up to 1.5e-7 however
/// small the result of 1 + erf.
Lanes erf_by_formula(const Lanes& x) {
  const Lanes r = erf(x);
  return Noise::computing() == DType::f64 ? r : Lanes(r.v + 1.5e-7 * Noise::stray());
}
// Backward kernels compute anew what the forward ones did not keep: in replicas too, lest the errors of the two cancel.
Var gelu_erf(const Var& x) {
  const auto cdf = [&] { return Lanes(0.5) * (Lanes(1.0) + erf_by_formula(x.v * 0.70710678118654752440)); };
  const Lanes pdf = exp(Lanes(-0.5) * x.v * x.v) * 0.39894228040143267794;  // 1 / sqrt(2 pi)
  const Lanes right = x.v * pdf, slope = cdf() + right;
  return custom(x.v * cdf(), x, slope);
}
Var gelu_tanh(const Var& x) {
  const Lanes beta = 0.79788456080286535588, kappa = 0.044715;  // sqrt(2 / pi)
  const Lanes square = x.v * x.v, half = Lanes(0.5) * x.v;
  const auto squashed = [&] { return tanh(beta * (x.v + kappa * (square * x.v))); };
  const Lanes t = squashed();
  const Lanes inner = beta * (Lanes(1.0) + Lanes(3.0) * kappa * square);
  const Lanes right = half * (Lanes(1.0) - t * t) * inner, slope = Lanes(0.5) * (Lanes(1.0) + t) + right;
  return custom(half * (Lanes(1.0) + squashed()), x, slope);
}

Lanes log_odds(const Lanes& x) { return log(x / (Lanes(1.0) - x)); }

/// Beyond 40 LibTorch's sigmoid and tanh are 1 whichever way they are computed, and x(1 - s) and x(1 - t^2) are 0: there
/// is no rounding for replicas to multiply by x.
bool is_saturated(const Var& x) { return x.exact() > 40 && std::isfinite(x.exact()); }

/// What a saturated function passes on; the formulas give no number at infinity, where a replica may be.
Lanes saturated_slope(const Lanes& x) {
  Lanes slope(1.0);
  for (int lane = 0; lane < Duals::values(); ++lane)
    if (!std::isfinite(x.v[lane])) slope.v[lane] = NAN;
  return slope;
}

/// The slope of log(1 + e^x) is sigmoid(x); by its parts it is infinity times 0 where e^x is infinite.
Var mish(const Var& x) {
  if (is_saturated(x)) return custom(x.v, x, saturated_slope(x.v));
  const auto squashed = [&] { return tanh(curved(log1p(exp(x.v)), x.v, [&] { return sigmoid(x.v); })); };
  const Lanes t = squashed(), by_t = Lanes(1.0) - t * t, slope = t + x.v * sigmoid(x.v) * by_t;
  return custom(x.v * squashed(), x, slope);
}
Var silu(const Var& x) {
  if (is_saturated(x)) return custom(x.v, x, saturated_slope(x.v));
  const Lanes s = sigmoid(x.v), slope = s * (Lanes(1.0) + x.v * (Lanes(1.0) - s));
  return custom(x.v / (Lanes(1.0) + exp(-x.v)), x, slope);
}

Shaped unary_shape(const Call& call) {
  return one_result(elementwise_layout({&call.layout(0)}, false, call.shape(0)));
}

Shaped clamp_shape(const Call& call) {
  bool tensors = false, numbers = false;
  for (std::size_t i = 1; i < call.args.size(); ++i) {
    tensors |= call.args.is_tensor(i);
    numbers |= call.args.is_number(i);
  }
  if (tensors && numbers) return invalid_step("min and max are either both tensors or both numbers");
  if (!tensors && !numbers) return invalid_step("one of min and max must be given");
  return tensors ? elementwise_shape(call) : unary_shape(call);  // a number is no operand of the kernel
}

constexpr char e21[] = "E21", e22[] = "E22";
/// The in-place form cannot tell the sides of 0 in its result if alpha, or the slope, is negative.
template <const char* id>
std::string_view negative_refused_in_place(const Args& at, bool inplace) {
  return inplace && at[1] < 0 ? id : "";
}

std::optional<double> maybe_double(const Actuals& a, std::size_t i) {
  return a.is_none(i) ? std::nullopt : std::optional(a.number(i).toDouble());
}

const Interval probability{.lo = 0.01, .hi = 0.99};

}  // namespace

std::vector<const Op*> activations() {
  static Op table[] = {
      {.name = "relu",
       .params = {tensor()},
       .maths = elementwise([](const Var& x, const Args&) { return x <= 0 ? either_zero(0) : x; }),  // NaN passes
       .pure = [](const Actuals& a) { return at::relu(a[0]); },
       .inplace = [](const Actuals& a) { at::relu_(a[0]); },
       .saves = {{.reads = result, .reads_inplace = result}}},
      {.name = "relu6",
       .params = {tensor()},
       .shape = like_operand,
       .maths = elementwise([](const Var& x, const Args&) { return clamp_between(x, 0, 6); }),
       .pure = [](const Actuals& a) { return at::relu6(a[0]); },
       .inplace = [](const Actuals& a) { at::relu6_(a[0]); },
       .saves = {{.reads = 0}}},
      {.name = "sigmoid",
       .params = {tensor()},
       .maths = elementwise([](const Var& x, const Args&) { return sigmoid(x); }),
       .pure = [](const Actuals& a) { return at::sigmoid(a[0]); },
       .inplace = [](const Actuals& a) { at::sigmoid_(a[0]); },
       .saves = {{.reads = result, .reads_inplace = result}}},
      {.name = "tanh",
       .params = {tensor()},
       .maths = elementwise([](const Var& x, const Args&) { return tanh(x); }),
       .pure = [](const Actuals& a) { return at::tanh(a[0]); },
       .inplace = [](const Actuals& a) { at::tanh_(a[0]); },
       .saves = {{.reads = result, .reads_inplace = result}}},
      {.name = "elu",
       .params = {tensor(), number("alpha", 1.0, {0.5, 2.0, 0.0, -1.0}), number("scale", 1.0, {0.5, 2.0}),
                  number("input_scale", 1.0, {0.5, 2.0})},
       .maths = elementwise([](const Var& x, const Args& at) { return exponential_unit(x, at[1], at[2], at[3]); }),
       .maths_inplace =
           elementwise([](const Var& x, const Args& at) { return exponential_unit_inplace(x, at[1], at[2], at[3]); }),
       .pure = [](const Actuals& a) { return at::elu(a[0], a.number(1), a.number(2), a.number(3)); },
       .inplace = [](const Actuals& a) { at::elu_(a[0], a.number(1), a.number(2), a.number(3)); },
       .saves = {{.reads = 0, .reads_inplace = result}},
       .backward_refusal = negative_refused_in_place<e21>,
       .twin_bitwise = false},
      {.name = "selu",
       .params = {tensor()},
       .maths = elementwise([](const Var& x, const Args&) { return exponential_unit(x, selu_alpha, selu_scale, 1); }),
       .maths_inplace = elementwise(
           [](const Var& x, const Args&) { return exponential_unit_inplace(x, selu_alpha, selu_scale, 1); }),
       .pure = [](const Actuals& a) { return at::selu(a[0]); },
       .inplace = [](const Actuals& a) { at::selu_(a[0]); },
       .saves = {{.reads = 0, .reads_inplace = result}},
       .twin_bitwise = false},
      {.name = "celu",
       .params = {tensor(), number("alpha", 1.0, {0.5, 2.0, 0.0, -1.0})},
       .shape = [](const Call& call) { return call.args[1] == 0 ? refused_step("E24") : elementwise_shape(call); },
       .maths = elementwise([](const Var& x, const Args& at) { return exponential_unit(x, at[1], 1, 1 / at[1]); }),
       .maths_inplace =
           elementwise([](const Var& x, const Args& at) { return exponential_unit_inplace(x, at[1], 1, 1 / at[1]); }),
       .pure = [](const Actuals& a) { return at::celu(a[0], a.number(1)); },
       .inplace = [](const Actuals& a) { at::celu_(a[0], a.number(1)); },
       .domain = {{.lo = -30}},  // grows like e^-x for alpha < 0
       .saves = {{.reads = 0, .reads_inplace = result}},
       .backward_refusal = negative_refused_in_place<e21>,
       .twin_bitwise = false},
      {.name = "leaky_relu",
       .params = {tensor(), number("negative_slope", 0.01, {0.0, 0.5, 2.0, -0.5})},
       .maths = elementwise([](const Var& x, const Args& at) { return slope_below_zero(x, at[1]); }),
       .pure = [](const Actuals& a) { return at::leaky_relu(a[0], a.number(1)); },
       .inplace = [](const Actuals& a) { at::leaky_relu_(a[0], a.number(1)); },
       .saves = {{.reads = 0, .reads_inplace = result}},
       .backward_refusal = negative_refused_in_place<e22>},
      {.name = "rrelu",  // evaluation mode: the slope is the mean of the bounds
       .params = {tensor(), number("lower", 0.125, {0.0, 0.25, 0.5, -2.0}),
                  number("upper", 0.3333333333333333, {0.25, 0.5, 1.0})},
       .shape = [](const Call& call) {
         return call.args[1] > call.args[2] ? refused_step("E24") : contiguous_result(call.shape(0));
       },
       .maths = elementwise([](const Var& x, const Args& at) { return slope_below_zero(x, (at[1] + at[2]) / 2); }),
       .pure = [](const Actuals& a) { return at::rrelu(a[0], a.number(1), a.number(2), false); },
       .inplace = [](const Actuals& a) { at::rrelu_(a[0], a.number(1), a.number(2), false); },
       .saves = {{.reads = 0, .reads_inplace = result}},
       .backward_refusal = [](const Args& at, bool inplace) -> std::string_view {
         return inplace && (at[1] + at[2]) / 2 < 0 ? "E22" : "";
       },
       .memory = [](const Call& call, bool recorded) -> Extra {  // the noise; and the slope, computed from six numbers
         const std::int64_t noise = bytes_of(call, 0);
         return {.kept = recorded ? noise : 0, .most = noise + 6 * static_cast<std::int64_t>(sizeof(double))};
       },
       .forward_refusal = [](const Args&, bool inplace) -> std::string_view { return inplace ? "E23b" : ""; },
       .composite = "rrelu_ = rrelu_with_noise_"},
      {.name = "hardtanh",
       .params = {tensor(), number("min_val", -1.0, {-0.5, 0.0, -2.0}), number("max_val", 1.0, {0.5, 2.0})},
       .shape = like_operand,
       .maths = elementwise([](const Var& x, const Args& at) { return clamp_between(x, at[1], at[2]); }),
       .pure = [](const Actuals& a) { return at::hardtanh(a[0], a.number(1), a.number(2)); },
       .inplace = [](const Actuals& a) { at::hardtanh_(a[0], a.number(1), a.number(2)); },
       .saves = {{.reads = 0}}},
      {.name = "hardsigmoid",
       .params = {tensor()},
       .maths = elementwise([](const Var& x, const Args&) {
         if (x <= -3) return Var(0);
         if (x >= 3) return Var(1);
         if (isnan(x)) return not_a_number;
         const Lanes slope = Lanes(1.0) / 6.0;
         return custom((x.v + 3.0) / 6.0, x, slope);
       }),
       .pure = [](const Actuals& a) { return at::hardsigmoid(a[0]); },
       .inplace = [](const Actuals& a) { at::hardsigmoid_(a[0]); },
       .saves = {{.reads = 0}},
       .second_refusal = "E23"},
      {.name = "hardswish",
       .params = {tensor()},
       .maths = elementwise([](const Var& x, const Args&) {
         if (x <= -3) return Var(x.v * 0.0, -1);  // NaN at -inf
         if (x >= 3) return custom(noisy(noisy(x.v.v).v), x, 1.0);  // times 6 by 6: not x to the last bit
         const Lanes slope = x.v / 3.0 + 0.5;
         return custom(x.v * (x.v + 3.0) / 6.0, x, slope);
       }),
       .pure = [](const Actuals& a) { return at::hardswish(a[0]); },
       .inplace = [](const Actuals& a) { at::hardswish_(a[0]); },
       .saves = {{.reads = 0}}},
      {.name = "silu",
       .params = {tensor()},
       .maths = elementwise([](const Var& x, const Args&) { return silu(x); }),
       .pure = [](const Actuals& a) { return at::silu(a[0]); },
       .inplace = [](const Actuals& a) { at::silu_(a[0]); },
       .saves = {{.reads = 0}}},
      {.name = "mish",
       .params = {tensor()},
       .maths = elementwise([](const Var& x, const Args&) { return mish(x); }),
       .pure = [](const Actuals& a) { return at::mish(a[0]); },
       .inplace = [](const Actuals& a) { at::mish_(a[0]); },
       .saves = {{.reads = 0}}},
      {.name = "gelu",
       .params = {tensor(), text("approximate", "none", {"none", "tanh"})},
       .shape = [](const Call& call) {
         const std::string& approximate = call.args.text(1);
         return approximate == "none" || approximate == "tanh" ? elementwise_shape(call) : refused_step("E24");
       },
       .maths = elementwise(
           [](const Var& x, const Args& at) { return at.text(1) == "tanh" ? gelu_tanh(x) : gelu_erf(x); }),
       .pure = [](const Actuals& a) { return at::gelu(a[0], a.text(1)); },
       .inplace = [](const Actuals& a) { at::gelu_(a[0], a.text(1)); },
       .saves = {{.reads = 0}},
       .memory_first = true},
      {.name = "threshold",
       .params = {tensor(), number("threshold", {0.0, 0.5, -0.5}), number("value", {0.0, -1.0, 2.0})},
       .maths = elementwise([](const Var& x, const Args& at) { return x <= at[1] ? Var(at[2]) : x; }),
       .pure = [](const Actuals& a) { return at::threshold(a[0], a.number(1), a.number(2)); },
       .inplace = [](const Actuals& a) { at::threshold_(a[0], a.number(1), a.number(2)); },
       .saves = {{.reads = 0}},
       .overlap_unchecked = true},
      {.name = "clamp",
       .params = {tensor(),
                  {.name = "min", .kind = Kind::tensor_or_number, .optional = true, .choices = {-0.5, 0.0, -2.0}},
                  {.name = "max", .kind = Kind::tensor_or_number, .optional = true, .choices = {0.5, 1.0, -1.0}}},
       .shape = clamp_shape,
       .maths = elementwise3(clamp_closed),
       .revisions = {{.since = {2, 14}, .maths = elementwise3(clamp_shared)}},
       .pure = [](const Actuals& a) {
         return a.is_tensor(1) || a.is_tensor(2) ? at::clamp(a[0], a.maybe_tensor(1), a.maybe_tensor(2))
                                                 : at::clamp(a[0], a.maybe_number(1), a.maybe_number(2));
       },
       .inplace = [](const Actuals& a) {
         if (a.is_tensor(1) || a.is_tensor(2)) at::clamp_(a[0], a.maybe_tensor(1), a.maybe_tensor(2));
         else at::clamp_(a[0], a.maybe_number(1), a.maybe_number(2));
       },
       .saves = {{.reads = 0}, {.reads = 1}, {.reads = 2}},
       .passes_gradient = true},
      {.name = "clamp_min",
       .params = {tensor(), {.name = "min", .kind = Kind::tensor_or_number, .choices = {0.0, -0.5, 1.0}}},
       .shape = clamp_shape,
       .maths = elementwise2([](const Var& x, const Var& lo, const Args&) {
         if (x < lo) return lo;
         return x >= lo ? either_zero(x) : not_a_number;
       }),
       .revisions = {{.since = {2, 14}, .maths = elementwise2([](const Var& x, const Var& lo, const Args& at) {
                        if (x == lo) return at.is_number(1) ? constant(either_zero(x)) : shared(x, lo);
                        if (x < lo) return lo;
                        return x > lo ? x : not_a_number;
                      })}},
       .pure = [](const Actuals& a) {
         return a.is_tensor(1) ? at::clamp_min(a[0], a[1]) : at::clamp_min(a[0], a.number(1));
       },
       .inplace = [](const Actuals& a) {
         if (a.is_tensor(1)) at::clamp_min_(a[0], a[1]);
         else at::clamp_min_(a[0], a.number(1));
       },
       .saves = {{.reads = 0}, {.reads = 1}},
       .passes_gradient = true},
      {.name = "clamp_max",
       .params = {tensor(), {.name = "max", .kind = Kind::tensor_or_number, .choices = {0.0, 0.5, -1.0}}},
       .shape = clamp_shape,
       .maths = elementwise2([](const Var& x, const Var& hi, const Args&) {
         if (x > hi) return hi;
         return x <= hi ? either_zero(x) : not_a_number;
       }),
       .revisions = {{.since = {2, 14}, .maths = elementwise2([](const Var& x, const Var& hi, const Args& at) {
                        if (x == hi) return at.is_number(1) ? constant(either_zero(x)) : shared(x, hi);
                        if (x > hi) return hi;
                        return x < hi ? x : not_a_number;
                      })}},
       .pure = [](const Actuals& a) {
         return a.is_tensor(1) ? at::clamp_max(a[0], a[1]) : at::clamp_max(a[0], a.number(1));
       },
       .inplace = [](const Actuals& a) {
         if (a.is_tensor(1)) at::clamp_max_(a[0], a[1]);
         else at::clamp_max_(a[0], a.number(1));
       },
       .saves = {{.reads = 0}, {.reads = 1}},
       .passes_gradient = true},
      {.name = "logit",
       .params = {tensor(), number("eps", None{}, {0.25, 0x1p-10})},
       .maths = elementwise([](const Var& x, const Args& at) {
         if (at.is_none(1)) {
           if (x < 0 || x > 1) return custom(not_a_number.v, x, not_a_number.v);
         } else {
           if (x < at[1]) return Var(log_odds(at[1]), -1);
           if (x > 1 - at[1]) return Var(log_odds(1 - at[1]), -1);
         }
         const Lanes slope = Lanes(1.0) / (x.v * (Lanes(1.0) - x.v));
         return custom(log_odds(x.v), x, slope);
       }),
       .pure = [](const Actuals& a) { return at::logit(a[0], maybe_double(a, 1)); },
       .inplace = [](const Actuals& a) { at::logit_(a[0], maybe_double(a, 1)); },
       .domain = {probability},
       .saves = {{.reads = 0}}},
      {.name = "square",
       .params = {tensor()},
       .maths = elementwise([](const Var& x, const Args&) {
         const Lanes slope = x.v * 2.0;
         return custom(x.v * x.v, x, slope);
       }),
       .pure = [](const Actuals& a) { return at::square(a[0]); },
       .inplace = [](const Actuals& a) { at::square_(a[0]); },
       .domain = {{.lo = -1e3, .hi = 1e3}},
       .saves = {{.reads = 0}},
       .composite = "square_ = pow_(2)"},
  };
  std::vector<const Op*> all = entries(table);
  const std::vector<const Op*> more = activations_out_of_place();
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace gradsmith::ops
