#include "harness/witness.hpp"

namespace gradsmith {

std::string_view witness_name(Witness witness) { return witness_names[static_cast<std::size_t>(witness)]; }

std::string_view opinion_name(Opinion opinion) {
  constexpr std::string_view names[] = {"agree", "disagree", "inconclusive", "skipped"};
  return names[static_cast<std::size_t>(opinion)];
}

std::string_view finding_name(FindingKind kind) {
  constexpr std::string_view names[] = {"none",         "missing-error",  "spurious-error", "wrong-error", "wrong-value",
                                        "wrong-gradient", "twin-mismatch", "nondeterminism", "crash",       "hang",
                                         "leak",           "memory",        "time",           "device-mismatch",
                                         "forward-mode",   "second-order"};
  return names[static_cast<std::size_t>(kind)];
}

std::string_view status_name(Status status) {
  constexpr std::string_view names[] = {"pass", "agreed-raise", "known-hole", "finding", "inconclusive", "discard"};
  return names[static_cast<std::size_t>(status)];
}

}  // namespace gradsmith
