// AddressSanitizer, UBSan and LeakSanitizer in programs that are built with them (preset `asan`). Their settings are
// part of the program, so that it does the same under ctest, in a campaign and by hand. Other builds know nothing of them.
#pragma once

namespace gradsmith {

/// Whether this program is built with them.
bool has_sanitizers();

/// Whether this process holds memory that nothing points to any more; LeakSanitizer then has said on standard error where
/// it was allocated. What LibTorch allocates is the lane `leak`'s affair and does not count. False in other builds.
bool memory_was_lost();

}  // namespace gradsmith
