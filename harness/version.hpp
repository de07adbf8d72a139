// The version of GradSmith, as records and `--version` show it.
#pragma once

#include <string_view>

namespace gradsmith {

inline constexpr char version[] = "0.1.0";
/// What programs hold that can be a campaign's worker, and by which others are told from them.
inline constexpr char worker_mark[] = "GradSmith worker 0.1.0";
static_assert(std::string_view(worker_mark).ends_with(version));

}  // namespace gradsmith
