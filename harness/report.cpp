#include "harness/report.hpp"

namespace gradsmith {

ReportTotals totals(const Report& report) {
  ReportTotals out;
  for (const ReportedRun& run : report.runs) {
    for (const auto& [op, use] : run.ops) {
      out.ops[op].out_of_place += use.out_of_place;
      out.ops[op].in_place += use.in_place;
    }
    for (const auto& [op, deltas] : run.deltas) {
      out.deltas[op].recorded.add(deltas.recorded);
      out.deltas[op].unrecorded.add(deltas.unrecorded);
    }
    out.control.add(run.control);
  }
  return out;
}

}  // namespace gradsmith
