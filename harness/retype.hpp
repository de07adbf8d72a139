// A chain in another floating type. Knows chains only.
#pragma once

#include "harness/chain.hpp"

namespace gradsmith {

/// The chain with all floating inputs of this type; listed values are rounded to it when they are read.
Chain in_type(Chain chain, DType dtype);

}  // namespace gradsmith
