// Reductions over dimensions, and cumsum. LibTorch allocates all their results contiguous, whatever the operand's
// strides.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "harness/actuals.hpp"
#include "harness/ops/family.hpp"
#include "harness/ops/lanes.hpp"

namespace gradsmith::ops {
namespace {

constexpr std::size_t dim = 1, keepdim = 2;  // positions in every schema here

/// Parameter `dim` as an argument: None, an integer or a list.
Argument dim_argument(const Call& call) {
  if (call.args.is_none(dim)) return None{};
  if (call.args.is_number(dim)) return call.args[dim];
  return call.args.list(dim);
}

std::vector<std::int64_t> reduced_dims(const Call& call) {
  std::string message;
  return wrap_dims(dim_argument(call), call.rank(0), message).value();
}

Shaped reduce(const Call& call) {
  std::string message;
  const auto dims = wrap_dims(dim_argument(call), call.rank(0), message);
  if (!dims) return invalid_step(message);
  Shape shape;
  for (std::int64_t d = 0; d < call.rank(0); ++d) {
    if (std::find(dims->begin(), dims->end(), d) == dims->end())
      shape.push_back(call.shape(0)[d]);
    else if (call.args.flag(keepdim))
      shape.push_back(1);
  }
  return contiguous_result(std::move(shape));
}

Shaped reduce_filled(const Call& call) {
  Shaped shaped = reduce(call);
  if (!shaped.invalid.empty()) return shaped;
  for (const std::int64_t d : reduced_dims(call))
    if (call.shape(0)[d] == 0)
      return invalid_step(fmt::format("{} over empty dimension {} has no value", call.op->name, d));
  return shaped;
}

Shaped reduce_prod(const Call& call) {
  if (call.args.is_none(dim) && call.args.flag(keepdim))
    return invalid_step("prod takes keepdim only together with dim");
  return reduce(call);
}

Shaped cumulate(const Call& call) {
  if (!wrap_dim(call.args.integer(dim), call.rank(0)))
    return invalid_step(fmt::format("dim {} is out of range for {} dimensions", call.args.integer(dim), call.rank(0)));
  return contiguous_result(call.shape(0));
}

using Group = std::vector<const Var*>;

/// Fills the result, group after group of elements that are reduced together, by `f(const Group&) -> Var`.
template <class F>
void each_group(MathsCall& m, F f) {
  Group group;
  for (const auto& positions : reduction_groups(m.call.shape(0), reduced_dims(m.call))) {
    group.clear();
    for (const std::int32_t p : positions) group.push_back(&m.in[0][static_cast<std::size_t>(p)]);
    m.out[0].push_back(f(group));
  }
}
template <class F>
Maths over_groups(F f) {
  return [f](MathsCall& m) { each_group(m, f); };
}

/// LibTorch adds in an order of its own (vector lanes, cascades). Where terms cancel, noise on the partial sums of one
/// order says nothing about another; noise on each term covers them all.
Var total(const Group& x) {
  if (x.empty()) return 0.0;
  Var sum = *x[0];
  if (x.size() > 2) sum = custom(noisy(sum.v.v), sum, 1.0);
  for (std::size_t i = 1; i < x.size(); ++i)
    sum = custom(sum.v + (x.size() > 2 ? noisy(x[i]->v.v) : x[i]->v), sum, 1.0, *x[i], 1.0);
  if (x.size() > 2) {
    Terms terms;
    for (const Var* e : x) terms.add(e->exact());
    terms.note_order();
    note_cancellation(sum);
  }
  return either_zero(sum);
}

/// A result with one partial per element, as a row of nodes.
template <class Partial>
Var with_partials(const Lanes& value, const Group& x, Partial partial) {
  Var out(value, -1);
  for (std::size_t i = 0; i < x.size(); ++i) out = custom(value, out, 1.0, *x[i], partial(i));
  return out;
}

/// Position of the largest element, or of the first NaN, by lane 0. Records nothing.
std::size_t largest(const Group& x) {
  std::size_t best = 0;
  for (std::size_t i = 0; i < x.size() && !std::isnan(x[best]->exact()); ++i)
    if (!(x[i]->exact() <= x[best]->exact())) best = i;
  return best;
}

/// Ties share the gradient evenly. A NaN equals nothing, itself included: LibTorch then divides 0 by 0 for every
/// element. The comparisons recorded are those with the largest element alone; they tell which one it is.
Var maximum(const Group& x) {
  const std::size_t best = largest(x);
  const Var top = either_zero(*x[best]);
  if (isnan(top))
    return with_partials(top.v, x, [](std::size_t) { return Lanes(std::numeric_limits<double>::quiet_NaN()); });
  std::vector<bool> tied(x.size());
  tied[best] = true;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (i == best || (i < best ? *x[i] < top : top < *x[i])) continue;
    tied[i] = *x[i] == top;
  }
  const auto count = std::count(tied.begin(), tied.end(), true);
  if (count == 1) return top;
  const Lanes share = Lanes(1.0) / Lanes(static_cast<double>(count));
  return with_partials(top.v, x, [&](std::size_t i) { return tied[i] ? share : Lanes(0.0); });
}

/// log of the sum of exp(x - max), plus max; derived from the result, as LibTorch does: exp(x - result). Each of these is an
/// op of its own there.
Var log_sum_exp(const Group& x) {
  if (x.empty()) return -std::numeric_limits<double>::infinity();
  const Var& top = *x[largest(x)];
  const Lanes shift = std::isinf(top.exact()) ? Lanes(0.0) : top.v.with_tangents_of({});  // a number, as in softmax
  Lanes sum(0.0);
  for (const Var* e : x) sum = sum + stored(exp(stored(e->v - shift)));
  Lanes value = stored(stored(log(stored(sum))) + shift);
  if (Duals::on()) {  // the result moves by the partials below, which add up to 1 but for its rounding
    Lanes moved(0.0);
    for (const Var* e : x) moved = moved + exp(e->v - value).with_tangents_of({}) * e->v;
    value = value.with_tangents_of(moved);
  }
  return with_partials(value, x, [&](std::size_t i) { return exp(stored(x[i]->v - value)); });
}

bool has_zero(const Lanes& l) {
  for (int lane = 0; lane < Duals::values(); ++lane)
    if (l.v[lane] == 0) return true;
  return false;
}

/// Rounding decides whether it is zero.
bool may_be_zero(const Lanes& l) {
  for (int lane = 1; lane < Duals::values(); ++lane)
    if ((l.v[lane] == 0) != (l.v[0] == 0)) return true;
  return false;
}

/// LibTorch multiplies in an order of its own, and keeps what it has in the type itself. Where some order leaves the range and
/// comes back (1e300 * 1e300 * 0), the order decides the value: no replica of one order shows that, so it is said to the
/// tape outright.
void note_order(const Group& x) {
  double up = 0, down = 0;  // log2 of the largest and of the smallest partial product of any order
  bool zero = false, infinite = false;
  for (const Var* e : x) {
    const double size = std::abs(e->exact());
    zero |= size == 0;
    infinite |= std::isinf(size);
    if (size == 0 || !std::isfinite(size)) continue;
    (size > 1 ? up : down) += std::log2(size);
  }
  const Range range = range_of(Noise::computing());
  const double most = std::log2(range.largest) - 1, least = std::log2(range.normal) + 1;
  const bool overflows = up > most && (zero || down < 0), underflows = down < least && (infinite || up > 0);
  if (x.size() > 2 && (overflows || underflows)) Tape::active().branch(true, true, {-1, -1, 0});
}

/// LibTorch differentiates product / x once more, as product / x / x and through 1 / x, both times cotangents. Where these
/// leave the range of double on the way to a number that does not, so does its result.
bool leaves_range(const Group& x, const Lanes& value) {
  const bool zero = std::any_of(x.begin(), x.end(), [](const Var* e) { return has_zero(e->v); });
  if (!zero && value.exact() == 0) return true;
  return std::any_of(x.begin(), x.end(), [&](const Var* e) {
    const double element = e->exact(), farthest = 0x1p1000;  // leaves room for cotangents
    return element != 0 && !(std::abs(1 / element) < farthest && std::abs(value.exact() / element / element) < farthest);
  });
}

/// Partials: product / x. As soon as any element of the operand is zero: the product of those before times the product
/// of those after; over all elements with more than one zero simply 0 (prod_backward, FunctionsManual.cpp). On finite
/// values these agree, with inf and nan they do not.
void product(MathsCall& m) {
  for (const Var& e : m.in[0])
    if (may_be_zero(e.v)) Tape::active().branch(true, true, {e.node, -1, 0});
  const auto zeros = std::count_if(m.in[0].begin(), m.in[0].end(), [](const Var& e) { return has_zero(e.v); });
  const bool vanishes = m.call.args.is_none(dim) && zeros > 1 && !Duals::on();  // the slope is 0, not its own slope
  each_group(m, [&](const Group& x) {
    if (m.call.rank(0) == 0) return *x[0];
    note_order(x);
    Lanes value(1.0);
    for (const Var* e : x) value = stored(value * e->v);  // unlike sums, products add up their rounding in the type itself
    if (Duals::on() && leaves_range(x, value)) Tape::active().branch(true, true, {-1, -1, 0});
    if (vanishes) return with_partials(value, x, [](std::size_t) { return Lanes(0.0); });
    if (zeros == 0) return with_partials(value, x, [&](std::size_t i) { return value / x[i]->v; });
    std::vector<Lanes> after(x.size(), Lanes(1.0));
    for (std::size_t i = x.size(); i-- > 1;) after[i - 1] = stored(after[i] * x[i]->v);
    Lanes before(1.0);
    return with_partials(value, x, [&](std::size_t i) {
      const Lanes partial = before * after[i];
      before = stored(before * x[i]->v);
      return partial;
    });
  });
}

/// A partial sum as the next one reads it: of 16-bit types in float, but on CUDA in the type.
Var carried_on(const Var& partial) {
  const bool rounds = unit_roundoff(Noise::computing()) > unit_roundoff(DType::f32);
  return rounds ? Var(either_way(partial.v, stored(partial.v)), partial.node) : partial;
}

void running_sum(MathsCall& m) {
  m.out[0] = m.in[0];
  const Call& call = m.call;
  if (call.rank(0) == 0) return;
  for (const auto& positions : reduction_groups(call.shape(0), {*wrap_dim(call.args.integer(dim), call.rank(0))})) {
    Terms terms;
    for (std::size_t i = 0; i < positions.size(); ++i) {
      const Var& term = m.in[0][positions[i]];
      if (i > 0) m.out[0][positions[i]] = carried_on(m.out[0][positions[i - 1]]) + term;
      terms.add(term.exact());
      terms.note_order();
    }
  }
  // One sum feeds the next inside the kernel; the results themselves do not depend on each other.
  for (Var& v : m.out[0]) v = custom(with_either_zero(v.v), v, 1.0);
}

/// The `dim` argument as LibTorch takes it; None stays None but in a batched call, where the batch must not be reduced.
struct Dims {
  explicit Dims(const Actuals& a) : list(a.is_none(dim) && !a.batched() ? std::vector<std::int64_t>{} : a.dims(dim)) {
    if (!a.is_none(dim) || a.batched()) ref = list;
  }
  Dims(const Dims&) = delete;
  std::vector<std::int64_t> list;
  at::OptionalIntArrayRef ref{};
};

/// A 0-dim operand in a batched call: every slice is its own reduction.
bool is_batched_scalar(const Actuals& a) { return a.batched() && a.rank(0) == 0; }

at::Tensor call_sum(const Actuals& a) {
  if (is_batched_scalar(a)) return a[0].clone();
  if (a.is_none(dim) && !a.flag(keepdim) && !a.batched()) return at::sum(a[0]);
  return at::sum(a[0], Dims(a).ref, a.flag(keepdim));
}
at::Tensor call_mean(const Actuals& a) {
  if (is_batched_scalar(a)) return a[0].clone();
  if (a.is_none(dim) && !a.flag(keepdim) && !a.batched()) return at::mean(a[0]);
  return at::mean(a[0], Dims(a).ref, a.flag(keepdim));
}
at::Tensor call_amax(const Actuals& a) {
  if (is_batched_scalar(a)) return a[0].clone();
  return at::amax(a[0], a.dims(dim), a.flag(keepdim));
}
at::Tensor call_logsumexp(const Actuals& a) {
  if (is_batched_scalar(a)) return a[0].clone();
  return at::logsumexp(a[0], a.dims(dim), a.flag(keepdim));
}
/// First the maxima and what masks the infinite ones (a byte each, and a number), then the maxima and the exponentials.
Extra memory_of_logsumexp(const Call& call, bool) {
  const std::int64_t operand = bytes_of(call, 0);
  if (operand == 0) return {};
  std::int64_t groups = 1;
  const auto& dims = call.args.list(dim);
  for (std::int64_t d = 0; d < call.rank(0); ++d) {
    const bool reduced = dims.empty() || std::any_of(dims.begin(), dims.end(), [&](double one) {
      return *wrap_dim(static_cast<std::int64_t>(one), call.rank(0)) == d;
    });
    if (!reduced) groups *= call.shape(0)[d];
  }
  const auto maxima = groups * static_cast<std::int64_t>(sizeof(double));
  return {.most = maxima + std::max(operand, groups + static_cast<std::int64_t>(sizeof(double)))};
}

at::Tensor call_prod(const Actuals& a) {
  if (is_batched_scalar(a)) return a[0].clone();
  if (!a.is_none(dim)) return at::prod(a[0], a.dim(dim), a.flag(keepdim));
  return a.batched() ? at::prod(at::flatten(a[0], 0, a.rank(0) - 1), 0) : at::prod(a[0]);
}
at::Tensor call_cumsum(const Actuals& a) {
  if (is_batched_scalar(a)) return a[0].clone();
  return at::cumsum(a[0], a.dim(dim));
}
void call_cumsum_inplace(const Actuals& a) {
  if (!is_batched_scalar(a)) a[0].cumsum_(a.dim(dim));
}

}  // namespace

std::vector<const Op*> reductions() {
  static const Argument none = None{}, all = std::vector<double>{};
  static Op table[] = {
      {.name = "sum",
       .params = {tensor(), integers("dim", none, {}), boolean("keepdim", false)},
       .shape = reduce,
       .maths = over_groups(total),
       .pure = call_sum},
      {.name = "mean",
       .params = {tensor(), integers("dim", none, {}), boolean("keepdim", false)},
       .shape = reduce,
       .maths = over_groups([](const Group& x) {
         const Var sum = total(x);
         return Var(in_range(sum.v), sum.node) / Var(static_cast<double>(x.size()));
       }),
       .pure = call_mean,
       .memory = [](const Call&, bool) -> Extra {  // the divisor, in two forms
         return {.most = 2 * static_cast<std::int64_t>(sizeof(double))};
       }},
      {.name = "amax",
       .params = {tensor(), integers("dim", all, {}), boolean("keepdim", false)},
       .shape = reduce_filled,
       .maths = over_groups(maximum),
       .pure = call_amax,
       .saves = {{.reads = 0}, {.reads = result}}},
      {.name = "logsumexp",
       .params = {tensor(), integers("dim"), boolean("keepdim", false)},
       .shape = reduce,
       .maths = over_groups(log_sum_exp),
       .pure = call_logsumexp,
       .saves = {{.reads = 0}, {.reads = result}},
       .memory = memory_of_logsumexp},
      {.name = "prod",
       .params = {tensor(), integer("dim", none, {}), boolean("keepdim", false)},
       .shape = reduce_prod,
       .maths = product,
       .pure = call_prod,
       .domain = {{-16, 16}},
       .saves = {{.reads = 0}, {.reads = result}}},
      {.name = "cumsum",
       .params = {tensor(), integer("dim")},
       .shape = cumulate,
       .maths = running_sum,
       .pure = call_cumsum,
       .inplace = call_cumsum_inplace,
       .memory = [](const Call& call, bool) -> Extra {  // of a single element a copy is made, and copied back
         return {.most = call.inplace && call.rank(0) == 0 ? bytes_of(call, 0) : 0};
       }},
  };
  return entries(table);
}

}  // namespace gradsmith::ops
