// Planted faults that end or stop the process: LibTorch's own sine, but for operands of one kind a null pointer is
// read, or nothing ever comes back. In forward mode and double backward they are right.
#include "properties/planted.hpp"
#include "properties/planted_ops.hpp"

namespace gradsmith::plant {
namespace {

using T = const at::Tensor&;

/// Not for UBSan to see: the signal is what must be named.
__attribute__((no_sanitize("undefined"))) void read_null() {
  const volatile double* const nowhere = nullptr;
  (void)*nowhere;
}

void wait_forever() {
  for (volatile bool never = false; !never;) {
  }
}

at::Tensor crashes(const Actuals& a) {
  if (!a[0].is_contiguous()) read_null();
  return a[0].sin();
}

at::Tensor crashes_in_backward(const Actuals& a) {
  const at::Tensor y = a[0].sin();
  if (y.requires_grad() && y.dim() == 2) y.register_hook([](T) { read_null(); });
  return y;
}

at::Tensor hangs(const Actuals& a) {
  if (a[0].storage_offset() > 0) wait_forever();
  return a[0].sin();
}

}  // namespace
}  // namespace gradsmith::plant

namespace gradsmith {

const std::vector<const Op*>& deadly_ops() {
  static Op table[] = {
      plant::dual_sin_entry("bad_sin_crashes", plant::crashes),
      plant::dual_sin_entry("bad_sin_crashes_in_backward", plant::crashes_in_backward),
      plant::dual_sin_entry("bad_sin_hangs", plant::hangs),
  };
  static const std::vector<const Op*> ops = ops::entries(table);
  return ops;
}

}  // namespace gradsmith
