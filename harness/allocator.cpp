#include "harness/allocator.hpp"

#include <c10/core/CPUAllocator.h>

namespace gradsmith {

void use_allocator(Allocator which) {
  constexpr std::uint8_t above_all = 255;
  c10::SetCPUAllocator(which == Allocator::guard      ? guard_allocator()
                       : which == Allocator::counting ? counting_allocator()
                                                      : c10::GetDefaultCPUAllocator(),
                       above_all);
}

}  // namespace gradsmith
