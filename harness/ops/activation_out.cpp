// Activations without an in-place form: shrinks, gates and the softmax family.
#include <algorithm>

#include "harness/actuals.hpp"
#include "harness/layout.hpp"
#include "harness/ops/family.hpp"
#include "harness/ops/lanes.hpp"

namespace gradsmith::ops {
namespace {

std::string out_of_range(std::int64_t dim, std::int64_t rank) {
  return "dim " + std::to_string(dim) + " is out of range for " + std::to_string(rank) + " dimensions";
}

// The absolute value; derivative 0 at 0, as LibTorch's sgn.
Var absolute(const Var& x) {
  if (x > 0) return x;
  return x < 0 ? -x : custom(x.v, x, 0.0);
}

Var log_sigmoid(const Var& x) {
  const bool negative = x < 0;
  const Lanes z = exp(negative ? x.v : -x.v), kept = stored(z), part = kept / (kept + 1.0);
  const Lanes slope = curved(negative ? Lanes(1.0) - part : part, x.v, [&] {  // log_sigmoid_double_backward
    const Lanes s = sigmoid(x.v);
    return (s - 1.0) * s;
  });
  return custom((negative ? x.v : Lanes(0.0)) - log1p(z), x, slope);
}

Var softplus(const Var& x, double beta, double threshold) {
  if (x * Var(beta) > threshold) return x;
  const Lanes z = exp(x.v * beta), slope = z / (z + 1.0);
  return custom(log1p(exp(x.v * beta)) / beta, x, slope);  // anew: activation.cpp
}

std::vector<std::vector<std::int32_t>> lines(const MathsCall& m) {
  return reduction_groups(m.call.shape(0), {*wrap_dim(m.args().integer(1), m.call.rank(0))});
}

/// Elements of one line minus their largest, which no softmax depends on: as a number, for LibTorch's derivatives do not
/// know that it was subtracted.
std::vector<Lanes> shifted(const std::vector<Var>& x, const std::vector<std::int32_t>& line) {
  std::int32_t top = line[0];
  for (const std::int32_t e : line)
    if (x[e].exact() > x[top].exact()) top = e;
  std::vector<Lanes> out;
  const Lanes largest = x[top].v.with_tangents_of({});
  for (const std::int32_t e : line) out.push_back(x[e].v - largest);
  return out;
}
Lanes sum_of_exps(const std::vector<Lanes>& x) {
  Lanes sum = 0.0;
  for (const Lanes& one : x) sum = sum + exp(one);
  return sum;
}

/// A scalar whose derivative is minus the weighted sum of a line's: its adjoint is the one sum that every element's
/// gradient shares, as in LibTorch's formula.
Var shared_sum(const std::vector<Var>& x, const std::vector<std::int32_t>& line, const std::vector<Lanes>& weights) {
  Var sum;
  for (std::size_t i = 0; i < line.size(); ++i) sum = custom(0.0, sum, 1.0, x[line[i]], -weights[i]);
  return sum;
}

/// Both derive from the result: y * (g - sum(g * y)).
void softmax(MathsCall& m) {
  const std::vector<Var>& x = m.in[0];
  m.out[0].resize(x.size());
  for (const auto& line : lines(m)) {
    if (line.empty()) continue;
    std::vector<Lanes> y = shifted(x, line);
    const Lanes sum = sum_of_exps(y);
    for (Lanes& one : y) one = stored(exp(one) / sum);
    const Var shared = shared_sum(x, line, y);
    for (std::size_t i = 0; i < line.size(); ++i)
      m.out[0][line[i]] = custom(y[i], x[line[i]], y[i], shared, y[i]);
  }
}

/// And g - exp(y) * sum(g).
void log_softmax(MathsCall& m) {
  const std::vector<Var>& x = m.in[0];
  m.out[0].resize(x.size());
  for (const auto& line : lines(m)) {
    if (line.empty()) continue;
    std::vector<Lanes> y = shifted(x, line), weights;
    const Lanes log_sum = log(sum_of_exps(y));
    for (Lanes& one : y) {
      one = stored(one - log_sum);
      weights.push_back(exp(one));
    }
    const Var shared = shared_sum(x, line, weights);
    for (std::size_t i = 0; i < line.size(); ++i)
      m.out[0][line[i]] = custom(y[i], x[line[i]], 1.0, shared, 1.0);
  }
}

Shaped softmax_shape(const Call& call) {
  const std::int64_t dim = call.args.integer(1);
  return wrap_dim(dim, call.rank(0)) ? contiguous_result(call.shape(0)) : invalid_step(out_of_range(dim, call.rank(0)));
}

Shaped glu_shape(const Call& call) {
  if (call.rank(0) == 0) return invalid_step("glu needs at least one dimension");
  const auto dim = wrap_dim(call.args.integer(1), call.rank(0));
  if (!dim) return invalid_step(out_of_range(call.args.integer(1), call.rank(0)));
  if (call.shape(0)[*dim] % 2 != 0) return refused_step("E24");
  Layout half = call.layout(0);
  half.shape[*dim] /= 2;
  return one_result(elementwise_layout({&half, &half}, false, half.shape));
}

/// The first half of a dimension times the sigmoid of the second.
void glu(MathsCall& m) {
  const std::vector<Var>& x = m.in[0];
  const Shape& shape = m.call.shape(0);
  const auto dim = static_cast<std::size_t>(*wrap_dim(m.args().integer(1), m.call.rank(0)));
  std::size_t block = static_cast<std::size_t>(shape[dim] / 2);  // elements of one half, all inner dimensions included
  for (std::size_t d = dim + 1; d < shape.size(); ++d) block *= static_cast<std::size_t>(shape[d]);
  m.out[0].resize(x.size() / 2);
  for (std::size_t e = 0; e < m.out[0].size(); ++e) {
    const std::size_t at = e / block * 2 * block + e % block;
    const Var &value = x[at], &gate = x[at + block];
    const Lanes kept = stored(sigmoid(gate.v));  // anew in backward, which puts it into a tensor
    const Lanes by_gate = (Lanes(1.0) - kept) * kept * value.v;
    m.out[0][e] = custom(value.v * sigmoid(gate.v), value, kept, gate, by_gate);
  }
}

Shaped prelu_shape(const Call& call) {
  const std::int64_t channels = call.rank(0) > 1 ? call.shape(0)[1] : 1;
  if (call.rank(1) > 1) return invalid_step("weight must have at most one dimension");
  const std::int64_t weights = element_count(call.shape(1));
  if (weights != 1 && (weights != channels || call.rank(0) == 0))
    return invalid_step("weight must have 1 element, or one for each of " + std::to_string(channels) + " channels");
  return like_operand(call);
}

void prelu(MathsCall& m) {
  const std::vector<Var>&x = m.in[0], &weight = m.in[1];
  const Shape& shape = m.call.shape(0);
  std::size_t inner = 1;
  for (std::size_t d = 2; d < shape.size(); ++d) inner *= static_cast<std::size_t>(shape[d]);
  m.out[0].resize(x.size());
  for (std::size_t e = 0; e < x.size(); ++e)
    m.out[0][e] = x[e] > 0 ? x[e] : weight[e / inner % weight.size()] * x[e];
}

/// prelu with one weight per channel and batch element: [C, G] against [N, C, ..., G].
at::Tensor batched_prelu(const Actuals& a) {
  at::Tensor weight = a[1];
  if (a.rank(1) == 1) {
    std::vector<std::int64_t> shape(static_cast<std::size_t>(std::max<std::int64_t>(a.rank(0) - 1, 0)), 1);
    if (!shape.empty()) shape[0] = weight.size(0);
    shape.push_back(weight.size(-1));
    weight = weight.reshape(shape);
  }
  return at::where(a[0] > 0, a[0], weight * a[0]);
}

const std::vector<Argument> some_dims = {-1.0, 0.0, 1.0, -2.0};
const std::vector<Argument> shrink_bounds = {0.0, 0.25, 1.0};

}  // namespace

std::vector<const Op*> activations_out_of_place() {
  static Op table[] = {
      {.name = "softplus",
       .params = {tensor(), number("beta", 1.0, {0.5, 2.0}), number("threshold", 20.0, {1.0, 5.0})},
       .maths = elementwise([](const Var& x, const Args& at) { return softplus(x, at[1], at[2]); }),
       .pure = [](const Actuals& a) { return at::softplus(a[0], a.number(1), a.number(2)); },
       .saves = {{.reads = 0}}},
      {.name = "softshrink",
       .params = {tensor(), number("lambd", 0.5, shrink_bounds)},
       .shape = [](const Call& call) {
         return call.args[1] < 0 ? invalid_step("lambd must not be negative") : elementwise_shape(call);
       },
       .maths = elementwise([](const Var& x, const Args& at) {
         if (x > at[1]) return x - Var(at[1]);
         if (x < -at[1]) return x + Var(at[1]);
         return isnan(x) ? x : either_zero(0);
       }),
       .pure = [](const Actuals& a) { return at::softshrink(a[0], a.number(1)); },
       .saves = {{.reads = 0}}},
      {.name = "hardshrink",
       .params = {tensor(), number("lambd", 0.5, shrink_bounds)},
       .maths = elementwise([](const Var& x, const Args& at) { return x >= -at[1] && x <= at[1] ? Var(0) : x; }),
       .pure = [](const Actuals& a) { return at::hardshrink(a[0], a.number(1)); },
       .saves = {{.reads = 0}}},
      {.name = "log_sigmoid",
       .params = {tensor()},
       .shape = [](const Call& call) { return contiguous_result(call.shape(0)); },
       .shape_on_device = elementwise_shape,  // CUDA's kernel is a TensorIterator's
       .maths = elementwise([](const Var& x, const Args&) { return log_sigmoid(x); }),
       .pure = [](const Actuals& a) { return at::log_sigmoid(a[0]); },
       .saves = {{.reads = 0}},
       .memory = [](const Call& call, bool recorded) -> Extra {  // a buffer, of which the node never reads an element
         const std::int64_t buffer = bytes_of(call, 0);
         return {.kept = recorded ? buffer : 0, .most = buffer + contiguous_copy(call, recorded).most};
       }},
      {.name = "softmax",
       .params = {tensor(), integer("dim", some_dims)},
       .shape = softmax_shape,
       .maths = softmax,
       .pure = [](const Actuals& a) { return at::softmax(a[0], a.dim(1)); },
       .batched = [](const Actuals& a) {
         return a.rank(0) > 0 ? at::softmax(a[0], a.dim(1)) : at::softmax(a[0].unsqueeze(0), 0).squeeze(0);
       },
       .saves = {{.reads = result}},
       .memory = contiguous_copy},
      {.name = "log_softmax",
       .params = {tensor(), integer("dim", some_dims)},
       .shape = softmax_shape,
       .maths = log_softmax,
       .pure = [](const Actuals& a) { return at::log_softmax(a[0], a.dim(1)); },
       .batched = [](const Actuals& a) {
         return a.rank(0) > 0 ? at::log_softmax(a[0], a.dim(1)) : at::log_softmax(a[0].unsqueeze(0), 0).squeeze(0);
       },
       .saves = {{.reads = result}},
       .memory = contiguous_copy},
      {.name = "tanhshrink",  // its tanh keeps a result that no chain can reach
       .params = {tensor()},
       .maths = elementwise([](const Var& x, const Args&) { return x - tanh(x); }),
       .pure = [](const Actuals& a) { return a[0] - a[0].tanh(); },
       .saves = {{.reads = internal}},
       .memory = [](const Call& call, bool recorded) -> Extra {
         const std::int64_t tanh = bytes_of(call, 0);
         return {.kept = recorded ? tanh : 0, .most = tanh};
       },
       .composite = "x - tanh(x)"},
      {.name = "softsign",
       .params = {tensor()},
       .maths = elementwise([](const Var& x, const Args&) { return x / (absolute(x) + Var(1)); }),
       .pure = [](const Actuals& a) { return a[0] / (a[0].abs() + 1); },
       .saves = {{.reads = 0}},
       .memory = [](const Call& call, bool recorded) -> Extra {  // |x|, |x| + 1, and for a moment the 1, in two forms
         const std::int64_t x = bytes_of(call, 0);
         return {.kept = recorded ? x : 0, .most = std::max(2 * x, x + 2 * static_cast<std::int64_t>(sizeof(double)))};
       },
       .composite = "x / (abs(x) + 1)"},
      {.name = "glu",
       .params = {tensor(), integer("dim", -1.0, some_dims)},
       .shape = glu_shape,
       .maths = glu,
       .pure = [](const Actuals& a) { return at::glu(a[0], a.dim(1)); },
       .saves = {{.reads = 0}}},
      {.name = "prelu",
       .params = {tensor(), tensor("weight")},
       .shape = prelu_shape,
       .maths = prelu,
       .pure = [](const Actuals& a) { return at::prelu(a[0], a[1]); },
       .batched = batched_prelu,
       .saves = {{.reads = 0}, {.reads = 1}},
       .through_view =  // the weight is reshaped to self's rank, unless it has it
           [](const std::vector<TensorInfo>& operands, int operand) {
             return operand == 1 && operands[0].layout.shape.size() != operands[1].layout.shape.size();
           },
       .mixing = Mixing::refused_first},
  };
  return entries(table);
}

}  // namespace gradsmith::ops
