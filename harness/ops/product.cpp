// Matrix products: mm, and matmul of vectors and matrices.
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "harness/actuals.hpp"
#include "harness/layout.hpp"
#include "harness/ops/family.hpp"
#include "harness/ops/lanes.hpp"

namespace gradsmith::ops {
namespace {

/// [rows, inner] times [inner, columns]; a vector is a row on the left and a column on the right.
struct Sizes {
  std::size_t rows, inner, columns;
};
Sizes sizes_of(const Call& call) {
  const Shape &a = call.shape(0), &b = call.shape(1);
  const std::int64_t rows = a.size() == 2 ? a[0] : 1, columns = b.size() == 2 ? b[1] : 1;
  return {static_cast<std::size_t>(rows), static_cast<std::size_t>(a.back()), static_cast<std::size_t>(columns)};
}

Shaped multiply(const Call& call) {
  const Shape &a = call.shape(0), &b = call.shape(1);
  if (a.back() != b.front())
    return invalid_step(
        fmt::format("shapes [{}] and [{}] cannot be multiplied", fmt::join(a, ", "), fmt::join(b, ", ")));
  const auto [rows, inner, columns] = sizes_of(call);
  if (const std::size_t terms = rows * inner * columns; terms > static_cast<std::size_t>(Limits::elements))
    return invalid_step(fmt::format("{} would add up {} products, more than the limit of {}", call.op->name, terms, Limits::elements));
  Shape shape(a.begin(), a.end() - 1);
  shape.insert(shape.end(), b.begin() + 1, b.end());
  return contiguous_result(std::move(shape));
}

Shaped mm(const Call& call) {
  if (call.rank(0) != 2 || call.rank(1) != 2) return invalid_step("mm takes two matrices");
  return multiply(call);
}

Shaped matmul(const Call& call) {
  if (call.rank(0) == 0 || call.rank(1) == 0) return invalid_step("matmul takes no 0-dim tensor");
  if (call.rank(0) > 2 || call.rank(1) > 2) return invalid_step("matmul of rank 3 and more is not in the table");
  return multiply(call);
}

/// Products added in order. The noise on each product covers every other order of the sum.
void products_in_order(MathsCall& m) {
  const auto [rows, inner, columns] = sizes_of(m.call);
  const auto &a = m.in[0], &b = m.in[1];
  m.out[0].reserve(rows * columns);
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < columns; ++j) {
      Var sum = 0.0;
      Terms terms;
      for (std::size_t k = 0; k < inner; ++k) {
        const Var &left = a[i * inner + k], &right = b[k * columns + j], term = left * right;
        sum = k == 0 ? term : sum + term;
        terms.add(static_cast<long double>(left.exact()) * right.exact());
      }
      if (inner > 2) note_cancellation(sum);
      if (inner > 1) terms.note_order();
      m.out[0].push_back(either_zero(sum));
    }
}

/// BLAS takes a matrix whose rows or columns lie dense and in order; any other is made contiguous for it. A vector on
/// the left makes a matrix of one row, one on the right is taken with any stride.
bool blas_takes(const Layout& matrix, bool times_vector) {
  const std::int64_t rows = matrix.shape[0], columns = matrix.shape[1];
  const std::int64_t down = matrix.strides[0], across = matrix.strides[1];
  if (across == 1 && (down >= std::max<std::int64_t>(1, columns) || (times_vector && rows == 1))) return true;
  if (down == 1 && (across >= std::max<std::int64_t>(1, rows) || (times_vector && columns == 1))) return true;
  return times_vector && is_contiguous(matrix);
}

Extra copies_for_blas(const Call& call, bool) {
  const std::int64_t left_bytes = bytes_of(call, 0), right_bytes = bytes_of(call, 1);
  const bool left_vector = call.rank(0) == 1, right_vector = call.rank(1) == 1;
  if (left_bytes == 0 || right_bytes == 0 || (left_vector && right_vector)) return {};
  Layout left = call.layout(0);
  if (left_vector) {
    left.shape.insert(left.shape.begin(), 1);
    left.strides.insert(left.strides.begin(), left.shape[1] * left.strides[0]);
  }
  return {.most = (blas_takes(left, right_vector) ? 0 : left_bytes) +
                  (right_vector || blas_takes(call.layout(1), false) ? 0 : right_bytes)};
}

/// Slices of the trailing dimension to the front, as bmm wants them; a vector becomes a row (left) or a column (right).
at::Tensor slices_first(const at::Tensor& t, bool vector, std::int64_t missing) {
  const at::Tensor front = t.movedim(-1, 0);
  return vector ? front.unsqueeze(missing) : front;
}

at::Tensor call_batched(const Actuals& a) {
  const bool left = a.rank(0) == 1,
             right = a[1].dim() == 2;  // vectors; with the batch, tensor 1 has one dimension more
  at::Tensor out = at::bmm(slices_first(a[0], left, 1), slices_first(a[1], right, 2));
  if (right) out = out.squeeze(2);
  if (left) out = out.squeeze(1);
  return out.movedim(0, -1).contiguous();  // the slices innermost, as everywhere
}

bool by_vector(const Args&, const std::vector<TensorInfo>& operands) { return operands[1].layout.shape.size() == 1; }
bool by_matrix(const Args& args, const std::vector<TensorInfo>& operands) { return !by_vector(args, operands); }

}  // namespace

std::vector<const Op*> products() {
  static Op table[] = {
      {.name = "mm",
       .params = {tensor(), tensor("mat2")},
       .shape = mm,
       .maths = products_in_order,
       .pure = [](const Actuals& a) { return at::mm(a[0], a[1]); },
       .batched = call_batched,
       .saves = {{.of = 0, .reads = 1}, {.of = 1, .reads = 0}},
       .memory = copies_for_blas,
       .mixing = Mixing::refused},
      {.name = "matmul",
       .params = {tensor(), tensor("other")},
       .shape = matmul,
       .maths = products_in_order,
       .pure = [](const Actuals& a) { return at::matmul(a[0], a[1]); },
       .batched = call_batched,
       // Kept as views, which share the operand's version counter, under the names that mm, or dot and mv, have for them.
       .saves = {{.of = 0, .reads = 1, .when = by_matrix, .name = "mat2"},
                 {.of = 0, .reads = 1, .when = by_vector, .name = "vec"},
                 {.of = 1, .reads = 0}},
       .through_view =  // a row vector is unsqueezed for mm
           [](const std::vector<TensorInfo>& operands, int operand) {
             return operand == 0 && operands[0].layout.shape.size() == 1 && operands[1].layout.shape.size() == 2;
           },
       .memory = copies_for_blas,
       .composite = "matmul = dot, mv, mm, or unsqueeze, mm and squeeze",
       .mixing = Mixing::refused},
  };
  return entries(table);
}

}  // namespace gradsmith::ops
