// Planted faults that leave every number right: memory errors, results that drift, memory that is kept. Each is right
// sine but for what its lane must see, and does no harm outside that lane.
#include <atomic>

#include "properties/planted_ops.hpp"

namespace gradsmith::plant {
namespace {

using T = const at::Tensor&;

/// The elements as they lie in memory; null for none.
double* elements(T y) { return y.numel() > 0 && y.scalar_type() == at::kDouble ? y.data_ptr<double>() : nullptr; }

void look_at(const double* element) {
  const volatile double seen = *element;
  (void)seen;
}

at::Tensor reads_past_end(const Actuals& a) {
  const at::Tensor y = a[0].sin();
  if (const double* data = elements(y)) look_at(data + y.numel());
  return y;
}

at::Tensor writes_past_end(const Actuals& a) {
  const at::Tensor y = a[0].sin();
  if (double* data = elements(y)) {
    std::atomic_ref next(*reinterpret_cast<std::int64_t*>(data + y.numel()));
    next.store(next.exchange(0));  // whoever owns it finds it as it was
  }
  return y;
}

at::Tensor writes_in_front(const Actuals& a) {
  const at::Tensor y = a[0].sin();
  if (double* data = elements(y)) {
    auto* last = reinterpret_cast<volatile std::int64_t*>(data - 1);
    if (*last == -1) *last = 0;  // fresh memory of the guard allocator; all else belongs to somebody
  }
  return y;
}

at::Tensor reads_freed(const Actuals& a) {
  const double* data = elements(a[0].detach().cos());
  if (data) look_at(data);
  return a[0].sin();
}

at::Tensor reads_fresh(const Actuals& a) {
  const at::Tensor y = a[0].sin();
  return y + at::empty(y.sizes(), y.options()) * 0;
}

at::Tensor drifts(const Actuals& a) {
  static int calls = 0;
  const at::Tensor y = a[0].sin();
  return y * (1 + (++calls % 1000) * 1e-15);
}

at::Tensor hoards(const Actuals& a) {
  static std::vector<at::Tensor> kept;
  const at::Tensor y = a[0].sin();
  kept.push_back(y.detach());
  return y;
}

}  // namespace

std::vector<const Op*> for_lanes() {
  static Op table[] = {
      sin_entry("bad_sin_reads_past_end", reads_past_end),
      sin_entry("bad_sin_writes_past_end", writes_past_end),
      sin_entry("bad_sin_writes_in_front", writes_in_front),
      sin_entry("bad_sin_reads_freed", reads_freed),
      sin_entry("bad_sin_reads_fresh", reads_fresh),
      sin_entry("bad_sin_drifts", drifts),
      sin_entry("bad_sin_hoards", hoards),
  };
  return ops::entries(table);
}

}  // namespace gradsmith::plant
