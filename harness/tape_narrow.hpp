// Sums of gradients in tensors of float and of 16-bit types. Knows the tape only.
#pragma once

#include "harness/tape.hpp"

namespace gradsmith {

/// What a tensor of the type at hand (Noise) holds after a gradient was added to one that arrived before. LibTorch adds
/// several in an order of its own, and rounds each sum: in narrow types the replicas let the terms go astray too. In
/// float64 the sum as it is.
Lanes accumulated(const Lanes& before, const Lanes& gradient);

}  // namespace gradsmith
