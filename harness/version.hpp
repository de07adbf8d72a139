// The version of GradSmith, as records and `--version` show it.
#pragma once

namespace gradsmith {

inline constexpr char version[] = "0.1.0";

}  // namespace gradsmith
