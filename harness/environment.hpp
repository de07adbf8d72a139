// What GradSmith runs on, in words. Implemented where LibTorch's headers are; safe to call before
// initialize_libtorch().
#pragma once

#include <string>

namespace gradsmith {

/// Version of the LibTorch linked, "2.11.0".
std::string libtorch_version();
/// The vector instructions LibTorch chose on this machine: "AVX2", "AVX512", "DEFAULT".
std::string cpu_capability();
/// "GradSmith 0.1.0, LibTorch 2.11.0 (AVX512)".
std::string versions_text();

}  // namespace gradsmith
