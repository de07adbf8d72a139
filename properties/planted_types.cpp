// Planted faults of a few ulp, for every type: how small an error is still seen, and what the rounding of a chain would cover.
#include <array>

#include "properties/planted_ops.hpp"

namespace gradsmith::plant {
namespace {

using T = const at::Tensor&;

/// The number so many numbers of its type further from 0.
at::Tensor further_by(int ulps, T x) {
  const auto bits = x.element_size() == 2 ? at::kShort : x.element_size() == 4 ? at::kInt : at::kLong;
  return (x.contiguous().view(bits) + ulps).view(x.scalar_type());
}

template <int ulps>
const Unary value{[](T x) { return further_by(ulps, x.sin()); }, sin_gradient};
template <int ulps>
const Unary gradient{sin_value, [](T grad, T x) { return further_by(ulps, sin_gradient(grad, x)); }};

template <int... ulps>
std::vector<Op> off_by_ulps() {
  static const std::array names{std::string("bad_sin_value_") + std::to_string(ulps) + "_ulp"...};
  static const std::array gradient_names{std::string("bad_sin_gradient_") + std::to_string(ulps) + "_ulp"...};
  std::size_t i = 0, j = 0;
  std::vector<Op> table{sin_entry(names[i++], [](const Actuals& a) { return call(value<ulps>, a[0]); })...};
  for (Op& op : std::vector<Op>{sin_entry(gradient_names[j++], [](const Actuals& a) { return call(gradient<ulps>, a[0]); })...})
    table.push_back(std::move(op));
  return table;
}

}  // namespace

std::vector<const Op*> for_types() {
  static std::vector<Op> table = off_by_ulps<1, 2, 3, 4, 6, 8, 12, 16, 32, 64, 256, 1024>();
  return ops::entries(table);
}

}  // namespace gradsmith::plant

namespace gradsmith {

std::vector<std::string_view> graded_by_ulps() {
  std::vector<std::string_view> names;
  for (const Op* op : plant::for_types()) names.push_back(op->name);
  return names;
}

}  // namespace gradsmith
