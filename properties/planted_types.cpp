// Planted faults of 16-bit types: off by a few ulp, which the rounding of a chain would cover.
#include "properties/planted_ops.hpp"

namespace gradsmith::plant {
namespace {

using T = const at::Tensor&;

/// The number so many numbers of its 16-bit type further from 0; other types are left alone.
at::Tensor further_by(int ulps, T x) {
  if (x.element_size() != 2) return x;
  return (x.contiguous().view(at::kShort) + ulps).view(x.scalar_type());
}

const Unary value{[](T x) { return further_by(4, x.sin()); }, sin_gradient};
const Unary gradient{sin_value, [](T grad, T x) { return further_by(8, sin_gradient(grad, x)); }};

}  // namespace

std::vector<const Op*> for_types() {
  static Op table[] = {
      sin_entry("bad_sin_value_4_ulp", [](const Actuals& a) { return call(value, a[0]); }),
      sin_entry("bad_sin_gradient_8_ulp", [](const Actuals& a) { return call(gradient, a[0]); }),
  };
  return ops::entries(table);
}

}  // namespace gradsmith::plant
