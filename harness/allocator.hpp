// Which allocator serves LibTorch's tensors on the CPU: the one place that installs any. Knows those of meter.cpp and
// guard.cpp; its header knows no LibTorch.
#pragma once

#include <cstdint>

namespace c10 {
struct Allocator;
}

namespace gradsmith {

/// `own` is LibTorch's; the other two count every byte (meter.hpp). `counting` is what initialize_libtorch() installs.
enum class Allocator : std::uint8_t { own, counting, guard };

/// From now on tensors come from this one; blocks of another are freed as they were made. Not while another thread
/// allocates.
void use_allocator(Allocator which);

/// One per process, never destroyed: tensors may be freed after main.
c10::Allocator* counting_allocator();  // meter.cpp
c10::Allocator* guard_allocator();     // guard.cpp

}  // namespace gradsmith
