#include "harness/sanitizers.hpp"

#include <stdlib.h>
#include <unistd.h>

extern "C" {

__attribute__((weak)) int __lsan_do_recoverable_leak_check();

/// Abort: a child process then says which op was under way, and its parent sees a crash and not just an exit code.
/// The quarantine is bounded for the sake of machines that run several workers. Where nothing can give addresses their names
/// (package llvm-19), it is not tried: each process that meets a leak of LibTorch's would say that it cannot.
const char* __asan_default_options() {
  const bool named = ::getenv("ASAN_SYMBOLIZER_PATH") || ::access("/usr/bin/llvm-symbolizer-19", X_OK) == 0;
  return named ? "abort_on_error=1:quarantine_size_mb=64" : "abort_on_error=1:quarantine_size_mb=64:symbolize=0";
}

const char* __ubsan_default_options() { return "print_stacktrace=1"; }

const char* __lsan_default_options() { return "print_suppressions=0"; }

/// LibTorch keeps some memory for good, and does not free an op's history that holds itself (pytorch#105147,
/// corpus/known/saved-cycle-leak.chain). What a chain does not give back the lane `leak` sees, whoever allocated it.
const char* __lsan_default_suppressions() { return "leak:libtorch_cpu.so\nleak:libc10.so\n"; }
}

namespace gradsmith {

bool has_sanitizers() { return __lsan_do_recoverable_leak_check; }

bool memory_was_lost() { return has_sanitizers() && __lsan_do_recoverable_leak_check() != 0; }

}  // namespace gradsmith
