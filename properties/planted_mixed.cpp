// Planted faults that show only where operands have different floating types.
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

}  // namespace

std::vector<const Op*> for_mixed() {
  static Op table[] = {
      mul_entry("bad_mul_rounds_twice", [](const Actuals& a) { return call(twice, a[0], a[1]); }),
      mul_entry("bad_mul_in_first_type", [](const Actuals& a) { return call(first, a[0], a[1]); }),
      mul_entry("bad_mul_scalars_decide", [](const Actuals& a) { return call(scalars, a[0], a[1]); }),
      mul_entry("bad_mul_narrow_gradient", [](const Actuals& a) { return call(gradient, a[0], a[1]); }),
  };
  return ops::entries(table);
}

}  // namespace gradsmith::plant
