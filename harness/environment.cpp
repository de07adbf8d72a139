#include "harness/environment.hpp"

#include <ATen/Version.h>
#include <fmt/format.h>
#include <torch/csrc/api/include/torch/version.h>

#include "harness/version.hpp"

namespace gradsmith {

std::string libtorch_version() { return TORCH_VERSION; }

std::string cpu_capability() { return at::get_cpu_capability(); }

std::string versions_text() {
  return fmt::format("GradSmith {}, LibTorch {} ({})", version, libtorch_version(), cpu_capability());
}

}  // namespace gradsmith
