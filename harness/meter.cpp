#include "harness/meter.hpp"

#include <c10/core/CPUAllocator.h>

#include <atomic>

#include "harness/allocator.hpp"

namespace gradsmith {
namespace {

/// Stands in front of every block, so that a free finds what was asked for without a table. As large as LibTorch's
/// alignment, which it keeps.
struct alignas(64) Header {
  std::size_t bytes;
  std::uint64_t mark;
};

/// Of one thread: what a device does ahead in a thread of its own is not the chain's.
struct Counters {
  std::uint64_t window = 0;
  std::int64_t live = 0, peak = 0, bytes = 0, allocations = 0;
};
thread_local Counters counters;
std::atomic<std::uint64_t> windows{0};  // a window of its own for each run in any thread

Header* header_of(void* data) { return static_cast<Header*>(data) - 1; }

void free_counted(void* data) {
  if (!data) return;
  Header* header = header_of(data);
  count_out(header->bytes, header->mark);
  c10::GetDefaultCPUAllocator()->raw_deallocate(header);
}

/// Context and data pointer of a block are equal, as LibTorch's raw interface demands.
struct CountingAllocator final : c10::Allocator {
  c10::DataPtr allocate(std::size_t bytes) override {
    c10::Allocator* base = c10::GetDefaultCPUAllocator();
    if (bytes == 0) return base->allocate(0);
    auto* header = static_cast<Header*>(base->raw_allocate(sizeof(Header) + bytes));
    *header = {bytes, count_in(bytes)};
    void* data = header + 1;
    return {data, data, &free_counted, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &free_counted; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override { default_copy_data(to, from, bytes); }
};

}  // namespace

c10::Allocator* counting_allocator() {
  static c10::Allocator* const counting = new CountingAllocator;
  return counting;
}

std::uint64_t count_in(std::size_t bytes) {
  counters.live += static_cast<std::int64_t>(bytes);
  counters.peak = std::max(counters.peak, counters.live);
  counters.bytes += static_cast<std::int64_t>(bytes);
  ++counters.allocations;
  return counters.window;
}

void count_out(std::size_t bytes, std::uint64_t mark) {
  if (mark == counters.window) counters.live -= static_cast<std::int64_t>(bytes);
}

void open_memory_window() { counters = {.window = windows.fetch_add(1, std::memory_order_relaxed) + 1}; }

MemoryReading read_memory() { return {counters.live, counters.peak, counters.bytes, counters.allocations}; }

MemoryReading mark_memory() {
  const MemoryReading reading = read_memory();
  counters.peak = counters.live;
  return reading;
}

Meter::Meter(Cost& cost, std::size_t statements) : cost_(cost) {
  cost_ = {};
  cost_.steps.resize(statements);
  open_memory_window();
}

void Meter::after_step(std::size_t statement, bool measured) {
  const std::int64_t nanoseconds = since(start_);
  const MemoryReading after = read_memory();
  cost_.forward_nanoseconds += nanoseconds;
  cost_.steps[statement] = {measured, nanoseconds, after.live - before_.live, after.peak - before_.live,
                            after.allocations - before_.allocations};
}

void Meter::close() {
  const MemoryReading end = read_memory();
  cost_.peak = std::max(peak_, end.peak);
  cost_.allocations = end.allocations;
}

}  // namespace gradsmith
