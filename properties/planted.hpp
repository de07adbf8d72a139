// Ops that are wrong on purpose, and right ones built by the same means. They prove that each witness sees what it is
// for: an entry's maths and saves state the truth, its LibTorch call breaks it. Knows no LibTorch.
#pragma once

#include <string_view>
#include <vector>

#include "harness/lane.hpp"
#include "harness/witness.hpp"

namespace gradsmith {

/// A planted fault: the witness that must see it when asked alone, what it then calls it, and the smallest chain that
/// shows it (canonical text without the header line).
struct Planted {
  std::string_view op;
  Witness witness;
  FindingKind kind;
  std::string_view minimum;
};

/// A planted fault that shows in one lane alone, and what its signature says of it.
struct PlantedForLane {
  std::string_view op;
  Lane lane;
  FindingKind kind;
  std::string_view guilty, detail, minimum;
};

/// All planted faults, in the order of `extra_ops()`: first those for witnesses.
const std::vector<Planted>& planted();
const std::vector<PlantedForLane>& planted_for_lanes();
/// Names of the right ops, which nothing may accuse.
const std::vector<std::string_view>& controls();

}  // namespace gradsmith
