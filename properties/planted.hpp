// Ops that are wrong on purpose, and right ones built by the same means. They prove that each witness sees what it is
// for: an entry's maths and saves state the truth, its LibTorch call breaks it. Knows no LibTorch.
#pragma once

#include <string_view>
#include <vector>

#include "harness/array.hpp"
#include "harness/generate.hpp"
#include "harness/lane.hpp"
#include "harness/witness.hpp"

namespace gradsmith {

struct Op;

/// The smallest chain with a signature: canonical text without the header line.
struct Minimum {
  std::string_view signature, chain;
};

/// A planted fault: the witness that must see it when asked alone, and what it then calls it. Depending on what a program
/// does with the op, the fault may show in different ways: each is a signature of its own and has a smallest chain.
struct Planted {
  std::string_view op;
  Witness witness;
  FindingKind kind;
  std::vector<Minimum> minima;
};

/// A planted fault that shows in one lane alone, and what its signature says of it.
struct PlantedForLane {
  std::string_view op;
  Lane lane;
  FindingKind kind;
  std::string_view guilty, detail, minimum;
};

/// A planted fault that shows only after a history on the same memory, and the smallest chain that shows it. Its depth is
/// how many steps and `backward`s that chain has, but for the `clone` that makes memory which may be written.
struct DeepPlanted {
  std::string_view op;
  int depth;
  Witness witness;
  FindingKind kind;
  std::string_view minimum;
};

/// A planted fault in a narrow type, and the smallest chain that shows it.
struct PlantedForType {
  std::string_view op;
  DType dtype;
  Minimum minimum;
};

/// A planted fault that shows only in mixed types: how its signatures begin.
struct PlantedForMixed {
  std::string_view op, signature;
};

/// A planted fault that ends or stops the process, and the signature under which it must be found.
struct DeadlyPlanted {
  std::string_view op, signature;
};

/// A planted fault in code of ours, which leaves every number right, and what the sanitizer that must catch it says.
struct PlantedForSanitizer {
  std::string_view op, report;
};

/// All planted faults, in the order of `extra_ops()`: first those for witnesses, then those for lanes, then the deep
/// ones, then the deadly ones, then those for sanitizers, then those of narrow types (which some of the first are, too),
/// then those of mixed types.
const std::vector<Planted>& planted();
const std::vector<PlantedForLane>& planted_for_lanes();
const std::vector<DeepPlanted>& deep_planted();
const std::vector<DeadlyPlanted>& deadly_planted();
const std::vector<PlantedForSanitizer>& planted_for_sanitizers();
const std::vector<PlantedForType>& planted_for_types();
const std::vector<PlantedForMixed>& planted_for_mixed();
/// Ops that are wrong by so many ulp, each size an op: bad_sin_value_1_ulp to bad_sin_gradient_1024_ulp. How small an error is seen in
/// a type is measured with them (fuzz/smallest_error.py).
std::vector<std::string_view> graded_by_ulps();
/// The ops of `deep_planted()` and of `deadly_planted()`, for programs that link no others.
const std::vector<const Op*>& deep_ops();
const std::vector<const Op*>& deadly_ops();
/// Names of the right ops, which nothing may accuse.
const std::vector<std::string_view>& controls();
/// Programs of these ops among honest ones, that spread and move what they make. LibTorch is ready then.
Knobs among(std::vector<std::string_view> names,
            const std::vector<std::string_view>& honest = {"mul", "add", "sin", "sum", "narrow", "transpose", "expand", "relu"});

}  // namespace gradsmith
