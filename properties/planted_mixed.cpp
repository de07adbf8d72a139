// Planted faults that show only where operands have different floating types.
#include <ATen/core/grad_mode.h>

#include "properties/planted_ops.hpp"

namespace gradsmith::plant {
namespace {

using T = const at::Tensor&;

bool alike(T x, T y) { return x.scalar_type() == y.scalar_type(); }
/// Rounded to a type on the way, and what it was again.
at::Tensor through(T x, at::ScalarType type) { return x.to(type).to(x.scalar_type()); }
/// The type of fewer bytes.
at::ScalarType narrower(T x, T y) { return (x.element_size() < y.element_size() ? x : y).scalar_type(); }

at::Tensor twice_rounded(T x, T y) { return alike(x, y) ? x * y : through(x * y, narrower(x, y)); }
at::Tensor in_first_type(T x, T y) { return (x * y).to(x.scalar_type()); }
at::Tensor without_dimensions(T x, T y) { return (x * y).to(at::promote_types(x.scalar_type(), y.scalar_type())); }
at::Tensor narrow_gradient(T grad, T, T y) { return through(grad * y, y.scalar_type()); }

const Binary twice{twice_rounded, mul_by_other, mul_by_self};
const Binary first{in_first_type, mul_by_other, mul_by_self};
const Binary scalars{without_dimensions, mul_by_other, mul_by_self};
const Binary gradient{mul_value, narrow_gradient, mul_by_self};

/// In place: the target is left with what the narrower type holds.
void keep_narrow(const Actuals& a) {
  a[0].mul_(a[1]);
  if (alike(a[0], a[1])) return;
  at::NoGradGuard off;
  a[0].copy_(through(a[0], narrower(a[0], a[1])));
}

Op wrong_in_place(Op entry, Inplace inplace) {
  entry.inplace = inplace;
  return entry;
}

}  // namespace

std::vector<const Op*> for_mixed() {
  static Op table[] = {
      mul_entry("bad_mul_rounds_twice", [](const Actuals& a) { return call(twice, a[0], a[1]); }),
      mul_entry("bad_mul_in_first_type", [](const Actuals& a) { return call(first, a[0], a[1]); }),
      mul_entry("bad_mul_scalars_decide", [](const Actuals& a) { return call(scalars, a[0], a[1]); }),
      mul_entry("bad_mul_narrow_gradient", [](const Actuals& a) { return call(gradient, a[0], a[1]); }),
      wrong_in_place(mul_entry("bad_mul_keeps_narrow", [](const Actuals& a) { return a[0] * a[1]; }), keep_narrow),
  };
  return ops::entries(table);
}

}  // namespace gradsmith::plant
