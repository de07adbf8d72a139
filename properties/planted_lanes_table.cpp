// Which lane must see which planted fault, and what must be left of the chain in the end.
#include "properties/planted.hpp"

namespace gradsmith {

const std::vector<PlantedForLane>& planted_for_lanes() {
  using enum FindingKind;
  static const std::vector<PlantedForLane> table = {
      {"bad_sin_reads_past_end", Lane::guard, crash, "bad_sin_reads_past_end", "read-past-end", R"(a = input f64[] values=[0]
v1 = bad_sin_reads_past_end(a)
)"},
      {"bad_sin_writes_past_end", Lane::guard, crash, "bad_sin_writes_past_end", "write-past-end", R"(a = input f64[] values=[0]
v1 = bad_sin_writes_past_end(a)
)"},
      {"bad_sin_writes_in_front", Lane::guard, crash, "bad_sin_writes_in_front", "write-in-front", R"(a = input f64[] values=[0]
v1 = bad_sin_writes_in_front(a)
)"},
      {"bad_sin_reads_freed", Lane::guard, crash, "bad_sin_reads_freed", "read-after-free", R"(a = input f64[] values=[0]
v1 = bad_sin_reads_freed(a)
)"},
      {"bad_sin_reads_fresh", Lane::guard, wrong_value, "bad_sin_reads_fresh", "nonfinite", R"(a = input f64[] values=[0]
v1 = bad_sin_reads_fresh(a)
)"},
      {"bad_sin_drifts", Lane::determinism, nondeterminism, "bad_sin_drifts", "value", R"(a = input f64[] values=[1]
v1 = bad_sin_drifts(a)
)"},
      {"bad_sin_hoards", Lane::leak, leak, "bad_sin_hoards", "heap", R"(a = input f64[] values=[0]
v1 = bad_sin_hoards(a)
)"},
  };
  return table;
}

}  // namespace gradsmith
