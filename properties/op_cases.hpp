// Single steps for the audits of the op table: drawn by the generator in varied shapes, layouts and attributes, then
// given every form and every subset of operands that require grad. Knows chains and ops, no LibTorch.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/chain.hpp"
#include "harness/op.hpp"

namespace gradsmith {

/// The inputs of one step, in order of first use, and the step, whose operands are these.
struct OpCase {
  Chain chain;                        ///< the inputs, nothing requires grad, then the step out of place if it can be
  std::vector<std::size_t> floating;  ///< positions of the inputs that can require grad
  const Step& step() const { return std::get<Step>(chain.statements.back()); }
};

/// `count` cases of an op, equal in every run; fewer where the generator finds no step for it.
std::vector<OpCase> cases_of(const Op& op, int count);

/// The case in one form; bit i of `graded` says whether floating input i requires grad. An in-place target that
/// requires grad is a clone of the input. Ends with the step.
Chain variant(const OpCase& one, bool inplace, unsigned graded);

/// All variants of a case: each form that the op has, each subset of operands that require grad.
std::vector<Chain> variants(const OpCase& one);

/// The chain with `no_grad { zero_(value) }` at its end.
Chain touched(Chain chain, Value value);
/// The chain with two explicit backwards from its implied roots; the second finds what the first has freed.
Chain differentiated_twice(Chain chain);

/// The product's ops, planted ones not among them.
const std::vector<const Op*>& product_ops();

/// What an audit finds wrong with an entry.
using Complaints = std::vector<std::string>;
/// An audit of one entry; empty if it is right.
using Audit = Complaints (*)(const Op&);

/// A complaint about a chain: the sentence, then the chain's text.
std::string complaint(std::string_view what, const Chain& chain);
/// The first complaints about an entry in one text, for a failure message; empty if there are none.
std::string brief(const Complaints& complaints);

}  // namespace gradsmith
