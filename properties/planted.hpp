// Ops that are wrong on purpose, and right ones built by the same means. They prove that each witness sees what it is
// for: an entry's maths and saves state the truth, its LibTorch call breaks it. Knows no LibTorch.
#pragma once

#include <string_view>
#include <vector>

#include "harness/witness.hpp"

namespace gradsmith {

struct Op;

/// A planted fault: the witness that must see it when asked alone, what it then calls it, and the smallest chain that
/// shows it (canonical text without the header line).
struct Planted {
  std::string_view op;
  Witness witness;
  FindingKind kind;
  std::string_view minimum;
};

/// Ops that are wrong only after a history of three and more steps on the same memory, and their table: their minima have
/// more steps than others.
const std::vector<const Op*>& deep_ops();
const std::vector<Planted>& deep_planted();
/// All other planted faults, in the order of `extra_ops()`; the deep ones and the controls follow them there.
const std::vector<Planted>& planted();
/// Names of the right ops, which nothing may accuse.
const std::vector<std::string_view>& controls();

}  // namespace gradsmith
