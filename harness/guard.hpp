// The guard allocator: every tensor's memory ends at a page that faults, starts as NaN, and cannot be touched once it is
// freed, so that memory errors inside LibTorch's prebuilt kernels show. The header knows no LibTorch.
#pragma once

namespace gradsmith {

/// Has tensors come from the guard allocator, or from the counting one again (allocator.hpp). The guard counts as well.
///
/// While it is in place: the last byte of a block is the last of its page and the next page faults. Fresh memory is 0xff
/// in every byte: NaN in all floating types, -1 in integers. A freed block faults until the memory is used again, which
/// is as late as possible. What was written just in front of a block shows when it is freed, and aborts.
/// In a `Child` the process says as its last words what it did (process.hpp); elsewhere it just dies of the signal.
void use_guard(bool on);

}  // namespace gradsmith
