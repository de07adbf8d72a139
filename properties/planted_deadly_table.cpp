// How the planted faults that end or stop a process must be named.
#include "properties/planted.hpp"

namespace gradsmith {

const std::vector<DeadlyPlanted>& deadly_planted() {
  static const std::vector<DeadlyPlanted> table = {
      {"bad_sin_crashes", "crash.bad_sin_crashes.SIGSEGV.f64.cpu"},
      {"bad_sin_crashes_in_backward", "crash.bad_sin_crashes_in_backward.SIGSEGV.f64.cpu"},
      {"bad_sin_hangs", "hang.bad_sin_hangs..f64.cpu"},
  };
  return table;
}

}  // namespace gradsmith
