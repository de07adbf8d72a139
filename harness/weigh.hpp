// The worst departure of what LibTorch computed from what the reference says, over all tensors of a chain.
// Knows chains, spreads and testimonies; no LibTorch.
#pragma once

#include "harness/compare.hpp"
#include "harness/outcome.hpp"
#include "harness/reference.hpp"
#include "harness/witness.hpp"

namespace gradsmith {

/// What a tensor counts as that LibTorch did not give: no number at all, or zeros (a gradient that is not defined).
enum class Missing : std::uint8_t { is_left_out, is_zero };

/// Leaves in `out` the element that departs most, with both numbers, the tensor's name and the ratio, where it departs
/// further than what `out` holds already; a tensor of another type than expected departs infinitely. `observed` and
/// `expected` by Value.
void weigh(Testimony& out, const Chain& chain, const std::vector<std::optional<Array>>& observed,
           const std::vector<std::optional<Spread>>& expected, const Tolerance& tolerance,
           Missing missing = Missing::is_left_out);

/// Of a mode of its own: the worst departure of its derivatives over all tensors, as `compare_derivatives` measures it;
/// `agree`, whatever the ratio. `what` stands before the tensor's name.
Testimony weigh_derivatives(Witness witness, FindingKind kind, const Chain& chain,
                            const std::vector<std::optional<Array>>& observed,
                            const std::vector<std::optional<Spread>>& expected, std::string_view what);

/// Some number of the chain whose run the thread's tape holds, or both of these derivatives of it, are so small that products of
/// them, which derivatives are made of, are 0 or subnormal: by how much two ways to such a derivative differ says nothing.
bool products_underflow(const Reference& reference, double one, double other);

/// Widens a reference by all the further replicas that are asked before a miss is believed; ends where one leaves it open.
void widen_by_more_replicas(Reference& reference, const Chain& chain, const Typed& typed, const std::vector<Value>& roots);

}  // namespace gradsmith
