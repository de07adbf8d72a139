#include "harness/release.hpp"

#include <charconv>
#include <cstdlib>

#include "harness/environment.hpp"

namespace gradsmith {

std::optional<Release> parse_release(std::string_view version) {
  Release release;
  const char* const end = version.data() + version.size();
  const auto major = std::from_chars(version.data(), end, release.major);
  if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.') return std::nullopt;
  const auto minor = std::from_chars(major.ptr + 1, end, release.minor);
  if (minor.ec != std::errc() || (minor.ptr != end && *minor.ptr != '.')) return std::nullopt;
  return release;
}

Release linked_release() {
  static const Release release = [] {
    const auto parsed = parse_release(libtorch_version());
    if (!parsed) std::abort();  // set-up refuses a LibTorch without a version
    return *parsed;
  }();
  return release;
}

}  // namespace gradsmith
