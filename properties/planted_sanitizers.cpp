// Planted faults in compiled code of ours, where a sanitizer can see them: right sine, and on the side a block is read
// past its end, a number overflows, or a block is forgotten.
#include <limits>

#include "properties/planted.hpp"
#include "properties/planted_ops.hpp"

namespace gradsmith {
namespace plant {
namespace {

at::Tensor looks_past_end(const Actuals& a) {
  const double* block = new double[2]{1, 2};
  const volatile int end = 2;
  const volatile double seen = block[end];
  (void)seen;
  delete[] block;
  return a[0].sin();
}

at::Tensor overflows(const Actuals& a) {
  volatile int number = std::numeric_limits<int>::max();
  number = number + 1;
  return a[0].sin();
}

at::Tensor loses(const Actuals& a) {
  double* volatile block = new double;
  *block = 1;
  block = nullptr;
  return a[0].sin();
}

}  // namespace

std::vector<const Op*> for_sanitizers() {
  static Op table[] = {
      sin_entry("bad_sin_looks_past_end", looks_past_end),
      sin_entry("bad_sin_overflows", overflows),
      sin_entry("bad_sin_loses", loses),
  };
  return ops::entries(table);
}

}  // namespace plant

const std::vector<PlantedForSanitizer>& planted_for_sanitizers() {
  static const std::vector<PlantedForSanitizer> table = {
      {"bad_sin_looks_past_end", "ERROR: AddressSanitizer: heap-buffer-overflow"},
      {"bad_sin_overflows", "runtime error: signed integer overflow"},
      {"bad_sin_loses", "ERROR: LeakSanitizer: detected memory leaks"},
  };
  return table;
}

}  // namespace gradsmith
