// Planted faults that reverse mode does not show: a wrong tangent, a gradient that is right but cannot be
// differentiated.
#include <ATen/ops/_make_dual.h>

#include "properties/planted_ops.hpp"

namespace gradsmith::plant {
namespace {

using T = const at::Tensor&;

const Unary constant_slope{sin_value, [](T grad, T x) { return grad * x.detach().cos(); }};
const Unary slope_1e6{sin_value, [](T grad, T x) { return grad * (x.cos() * (1 + 1e-6) - x.detach().cos() * 1e-6); }};

}  // namespace

at::Tensor dual_sin(const at::Tensor& x, double factor) {
  constexpr std::int64_t level = 0;  // LibTorch has no other
  at::Tensor y = x.sin();
  const at::Tensor& tangent = y._fw_grad(level);
  return tangent.defined() ? at::_make_dual(y.detach(), tangent * factor, level) : y;
}

std::vector<const Op*> modes() {
  static Op table[] = {
      dual_sin_entry("bad_sin_tangent", [](const Actuals& a) { return dual_sin(a[0], 1.5); }),
      dual_sin_entry("bad_sin_tangent_1e6", [](const Actuals& a) { return dual_sin(a[0], 1 + 1e-6); }),
      sin_entry("bad_sin_second", [](const Actuals& a) { return call(constant_slope, a[0]); }),
      sin_entry("bad_sin_second_1e6", [](const Actuals& a) { return call(slope_1e6, a[0]); }),
  };
  return ops::entries(table);
}

}  // namespace gradsmith::plant
