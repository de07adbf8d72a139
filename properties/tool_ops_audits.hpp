// The audits of the op table: each takes an entry and says what is wrong with it, by running LibTorch. Every field of
// an entry falls to one of them.
#pragma once

#include "harness/judge.hpp"
#include "properties/op_cases.hpp"

namespace gradsmith {

Complaints audit_layouts(const Op& op);    ///< shape, strides and offset of results, against LibTorch's
Complaints audit_aliases(const Op& op);    ///< what shares memory, cell by cell, against LibTorch's storage
Complaints audit_agreement(const Op& op);  ///< maths, forms and refusals, against values, gradients and errors
Complaints audit_checks(const Op& op);     ///< which of several checks refuses first, against LibTorch's error
Complaints audit_types(const Op& op);      ///< that, in float and in the 16-bit types
Complaints audit_domain(const Op& op);     ///< values and gradients are finite in all corners of the domain
Complaints audit_saves(const Op& op);      ///< what backward needs, against what it refuses after a write
Complaints audit_memory(const Op& op);     ///< bytes of every step, in both forms, against what the allocator counts
Complaints audit_batched(const Op& op);    ///< the batched forward, against one call per point
Complaints audit_modes(const Op& op);      ///< what forward mode and double backward give and refuse, against LibTorch
Complaints audit_schema(const Op& op);     ///< names, defaults and differentiable operands, against LibTorch's schemas

/// The plan that asks this witness alone.
Plan only(Witness witness);

}  // namespace gradsmith
