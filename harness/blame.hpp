// Gives a finding its signature: what kind of fault it is, in which op, and how much is wrong. The op is judged by itself
// (probe.hpp) wherever that shows the fault, so that the signature does not depend on the rest of the chain.
#pragma once

#include "harness/judge.hpp"
#include "harness/typing.hpp"

namespace gradsmith {

/// Runs the chain `times` more: every value, gradient and refusal must come out as in `outcome`, bit for bit.
bool steady(const Chain& chain, const std::vector<Value>& implied_roots, const Outcome& outcome, int times);

/// The signature of a finding that rests on `testimony`, one of `verdict`'s. If the plan asks for no guilt, no op is looked
/// for, and kind and detail are those of the testimony.
Signature signature_of(const Chain& chain, const Typed& typed, const std::vector<Value>& implied_roots,
                       const Verdict& verdict, const Testimony& testimony, const Plan& plan);

/// The signature of a finding that rests on what a lane said; a step that shows the same alone takes the blame.
Signature signature_of(const Chain& chain, const Typed& typed, const LaneRemark& remark, const Plan& plan);

/// The signature of a chain that does not come out the same each time.
Signature unsteady_signature(const Chain& chain, const Typed& typed, bool guilt);

/// `shown` is the bug that `wanted` means. Where `wanted` could only list suspects, fewer of them will do; where it
/// could not say what a process died in, any op will.
bool same_bug(const Signature& wanted, const Signature& shown);
/// The same kind of fault in the same op, whatever its form, its magnitude, its error ids and the dtype.
bool same_fault(const Signature& wanted, const Signature& shown);

}  // namespace gradsmith
