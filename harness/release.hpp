// Releases of LibTorch: what differs between them is data that names the first release it holds for. Knows no LibTorch.
#pragma once

#include <compare>
#include <optional>
#include <string_view>

namespace gradsmith {

/// "2.14"; patch releases do not change what ops compute.
struct Release {
  int major = 0, minor = 0;
  auto operator<=>(const Release&) const = default;
};

/// The release that a version text begins with ("2.14", "2.14.0", "2.15.0+cpu"); nothing if it begins with none.
std::optional<Release> parse_release(std::string_view version);
/// The release of the LibTorch linked.
Release linked_release();

}  // namespace gradsmith
