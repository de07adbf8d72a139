#include "harness/environment.hpp"

#include <ATen/Version.h>
#include <torch/csrc/api/include/torch/version.h>

namespace gradsmith {

std::string libtorch_version() { return TORCH_VERSION; }

std::string cpu_capability() { return at::get_cpu_capability(); }

}  // namespace gradsmith
