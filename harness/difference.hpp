// The `difference` witness: reverse mode against finite differences of LibTorch's own forward along a random direction
// (numerics.md, section 2). All points of the stencil run in one batched forward: every tensor gets one more trailing
// dimension, so that strides, views and in-place writes keep their meaning. Kinks are avoided, not tolerated: the step
// stays below the nearest branch change that the reference's tape foresees.
#pragma once

#include <optional>
#include <string>

#include "harness/outcome.hpp"
#include "harness/reference.hpp"
#include "harness/witness.hpp"

namespace gradsmith {

/// The gradient that is judged: what accumulated in the leaves, or, where nothing does, the result of the one `backward`
/// at `statement`, if all that it differentiates by are leaves.
struct GradientClaim {
  std::optional<std::size_t> statement{};
  std::vector<const std::vector<double>*> gradient{};  ///< by Value: of leaves, as LibTorch gave it; null: none
  std::vector<const std::vector<double>*> spread{};    ///< by Value: how far rounding moves it
  std::vector<const Array*> constants{};               ///< by Value: gradients with names of their own, as LibTorch gave them
};

/// One direction: a number per position of every leaf of the claim, by Value.
struct Direction {
  std::vector<std::vector<double>> along;
};
/// Direction `number` of a chain: Gaussian-like over all leaves (even numbers) or over one leaf in turn (odd ones).
Direction make_direction(const Chain& chain, const Reference& reference, const GradientClaim& claim, std::uint64_t number);

/// Values of f = sum <cotangent, root> (of the claim's backwards) at x + h*d for each h, from one batched forward on
/// LibTorch; entry 0 of the answer is f(x). A message if the batched forward was refused.
struct BatchedForward {
  std::vector<double> values;
  double magnitude = 0;  ///< largest sum |cotangent * root| of any point: its rounding is that of f
  std::string failure{};
};
BatchedForward forward_along(const Chain& chain, const Typed& typed, const std::vector<Value>& implied_roots,
                             const GradientClaim& claim, const Direction& direction, const std::vector<double>& steps);

/// The witness. `reference` must be the latest run on this thread's tape.
Testimony difference_witness(const Chain& chain, const Typed& typed, const std::vector<Value>& implied_roots,
                             const Outcome& outcome, const Reference& reference);

}  // namespace gradsmith
