// Small chains that put one step of a chain to the test by itself, on the values it has there: for laying a finding at
// the door of one op, and for reducing it. Knows chains, types and the reference; no LibTorch, no judge.
#pragma once

#include <optional>
#include <vector>

#include "harness/operand.hpp"
#include "harness/typing.hpp"

namespace gradsmith {

/// One step alone: its operands as inputs with the values and layouts they have there, all of them requiring grad where
/// they can, the result as the root. A write goes to a clone of its operand where that has the operand's layout, else
/// the step is taken out of place. Nothing if the chain up to there cannot be evaluated.
std::optional<Chain> isolate(const Chain& chain, const Typed& typed, std::size_t statement);
/// The same with these operands; of them, those require grad that did.
std::optional<Chain> isolate(const Chain& chain, const Typed& typed, std::size_t statement, const OperandOf& operand);

/// More of the kind, made from what `isolate` gave: with other operands requiring grad, with contiguous operands, with
/// inputs of their own for repeated operands; each of them with a second backward, with cotangents of one sign, with the
/// result or an operand written afterwards (does it share memory as declared, does the node keep what it must and nothing
/// else?), and for writes with a leaf, a saved tensor or one with a view as the target; last, with one element everywhere.
/// At most three steps each, in a fixed order.
std::vector<Chain> probes(const Chain& isolated);

/// For derivatives along a direction: each operand in turn with a tangent 2^60 times as large as those of the others, by
/// `m = mul(z, 2^60)` of zeros and `a = add(m, x)` in its place, on the numbers it has, then on plain ones below and above
/// those of the others. Shows where a formula mixes what only one operand passes on, or leaves the range on its way.
std::vector<Chain> stretched(const Chain& isolated);
/// The same with 2^1000, on the numbers it has and on one of them everywhere: a slope so small that it counts as 0 (asinh's
/// at 1e300) shows by what it moves in others.
std::vector<Chain> stretched_far(const Chain& isolated);

}  // namespace gradsmith
