// Planted faults in values, views and reductions.
#include "harness/ops/view_shapes.hpp"
#include "properties/planted_ops.hpp"

namespace gradsmith::plant {
namespace {

using T = const at::Tensor&;

/// sin with the right derivative and a value that is `error` too large wherever `where` holds.
template <class Where>
at::Tensor off_by(T x, double error, Where where) {
  const at::Tensor y = x.sin();
  return where(x) ? y * (1 + error) : y;
}
bool always(T) { return true; }
bool has_gaps(T x) {
  return x.numel() > 1 && !x.is_non_overlapping_and_dense() &&
         std::find(x.strides().begin(), x.strides().end(), 0) == x.strides().end();
}
bool has_offset(T x) { return x.storage_offset() > 0; }
bool is_expanded(T x) {
  for (std::int64_t d = 0; d < x.dim(); ++d)
    if (x.stride(d) == 0 && x.size(d) > 1) return true;
  return false;
}
bool is_transposed(T x) {
  return x.dim() == 2 && x.size(0) > 1 && x.size(1) > 1 && x.stride(0) > 0 && x.stride(0) < x.stride(1);
}
bool is_0dim(T x) { return x.dim() == 0; }
bool has_9(T x) { return x.dim() == 1 && x.size(0) >= 9; }

template <auto where>
const Unary off_1e3{[](T x) { return off_by(x, 1e-3, where); }, sin_gradient};
const Unary off_1e6{[](T x) { return off_by(x, 1e-6, always); }, sin_gradient};
const Unary off_1e12{[](T x) { return off_by(x, 1e-12, always); }, sin_gradient};
const Unary one_element{[](T x) {
                          at::Tensor y = x.sin().contiguous();
                          if (y.numel() > 2) y.view({-1})[2] += 1e-3;
                          return y;
                        },
                        sin_gradient};
const Unary unsteady{[](T x) {
                       static int calls = 0;
                       return x.sin() * (++calls % 2 == 0 ? 1.0 : 1.003);
                     },
                     sin_gradient};
const Unary refuses_3{[](T x) {
                        TORCH_CHECK(x.numel() != 3, "three elements are one too many");
                        return x.sin();
                      },
                      sin_gradient};

// Views.
// -----------------------------------------------------------------------------------------------------------------
at::Tensor narrow_before(const Actuals& a) {
  const auto start = a.integer(2);
  return at::narrow(a[0], a.dim(1), start > 0 ? start - 1 : start, a.integer(3));
}

// Reductions of all dimensions.
// --------------------------------------------------------------------------------------------
constexpr std::size_t keepdim = 1;

Shaped reduce_all(const Call& call) {
  return ops::contiguous_result(call.args.flag(keepdim) ? Shape(call.shape(0).size(), 1) : Shape{});
}
/// Noise on every term covers every order of adding.
Var total(const std::vector<Var>& x) {
  Var sum = 0.0;
  for (const Var& e : x) sum = custom(sum.v + noisy(e.v.v), sum, 1.0, e, 1.0);
  return sum;
}
void sum_maths(MathsCall& m) { m.out[0] = {total(m.in[0])}; }
void mean_maths(MathsCall& m) { m.out[0] = {total(m.in[0]) / Var(static_cast<double>(m.in[0].size()))}; }
std::vector<std::int64_t> every_dim(const Actuals& a) {
  std::vector<std::int64_t> dims;
  for (std::int64_t d = 0; d < a.rank(0); ++d) dims.push_back(d);
  return dims;
}
at::Tensor sum_all(const Actuals& a, T x) {
  return a.rank(0) == 0 ? x.clone() : at::sum(x, every_dim(a), a.flag(keepdim));
}

at::Tensor sum_but_last(const Actuals& a) {
  const at::Tensor x = a[0];
  if (a.rank(0) == 0 || x.size(0) < 2) return sum_all(a, x);
  return sum_all(a, x.narrow(0, 0, x.size(0) - 1));
}
at::Tensor sum_keepdim(const Actuals& a) {
  const at::Tensor sum = sum_all(a, a[0]);
  return a.flag(keepdim) && a.rank(0) > 0 ? sum * 1.5 : sum;
}
at::Tensor mean_by_rows(const Actuals& a) {
  if (a.rank(0) == 0) return a[0].clone();
  return sum_all(a, a[0]) / static_cast<double>(a[0].numel() == 0 ? 0 : a[0].size(0));
}
Op reduction(std::string_view name, Maths maths, at::Tensor (*pure)(const Actuals&)) {
  return {.name = name,
          .params = {ops::tensor(), ops::boolean("keepdim", false)},
          .shape = reduce_all,
          .maths = std::move(maths),
          .pure = pure};
}

}  // namespace

std::vector<const Op*> values() {
  static Op table[] = {
      sin_entry("bad_sin_value_1e3", [](const Actuals& a) { return call(off_1e3<always>, a[0]); }),
      sin_entry("bad_sin_value_1e6", [](const Actuals& a) { return call(off_1e6, a[0]); }),
      sin_entry("bad_sin_value_1e12", [](const Actuals& a) { return call(off_1e12, a[0]); }),
      sin_entry("bad_sin_value_one_element", [](const Actuals& a) { return call(one_element, a[0]); }),
      sin_entry("bad_sin_value_gaps", [](const Actuals& a) { return call(off_1e3<has_gaps>, a[0]); }),
      sin_entry("bad_sin_value_offset", [](const Actuals& a) { return call(off_1e3<has_offset>, a[0]); }),
      sin_entry("bad_sin_value_expanded", [](const Actuals& a) { return call(off_1e3<is_expanded>, a[0]); }),
      sin_entry("bad_sin_value_transposed", [](const Actuals& a) { return call(off_1e3<is_transposed>, a[0]); }),
      sin_entry("bad_sin_value_0dim", [](const Actuals& a) { return call(off_1e3<is_0dim>, a[0]); }),
      sin_entry("bad_sin_value_from_9", [](const Actuals& a) { return call(off_1e3<has_9>, a[0]); }),
      sin_entry("bad_sin_unsteady", [](const Actuals& a) { return call(unsteady, a[0]); }),
      sin_entry("bad_sin_refuses_3", [](const Actuals& a) { return call(refuses_3, a[0]); }),
      sin_entry("bad_sin_detached", [](const Actuals& a) { return a[0].detach().sin(); }),
      {.name = "bad_narrow_before",
       .params = {ops::tensor(), ops::integer("dim"), ops::integer("start"), ops::integer("length")},
       .shape = ops::view_shapes::narrow,
       .pure = narrow_before,
       .alias = Alias::view},
      {.name = "bad_transpose_copies",
       .params = {ops::tensor(), ops::integer("dim0"), ops::integer("dim1")},
       .shape = ops::view_shapes::transpose,
       .pure = [](const Actuals& a) { return at::transpose(a[0], a.dim(1), a.dim(2)).clone(); },
       .alias = Alias::view},
      {.name = "bad_clone_aliases",
       .params = {ops::tensor()},
       .maths = ops::elementwise([](const Var& x, const Args&) { return x; }),
       .pure = [](const Actuals& a) { return a[0].alias(); }},
      reduction("bad_sum_but_last", sum_maths, sum_but_last),
      reduction("bad_sum_keepdim", sum_maths, sum_keepdim),
      reduction("bad_mean_by_rows", mean_maths, mean_by_rows),
  };
  return ops::entries(table);
}

}  // namespace gradsmith::plant
