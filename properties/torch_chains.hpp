// What the properties of LibTorch share: drawn chains, the question every one of them asks the judge, and what becomes
// of a finding. A new finding is reduced under its signature, stored as a chain that `replay` takes, and printed.
#pragma once

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <functional>

#include "harness/generate.hpp"
#include "harness/judge.hpp"
#include "harness/op.hpp"

namespace gradsmith {

/// The generator's chain for a seed that RapidCheck draws. Shrinking is the reducer's, not RapidCheck's.
Chain drawn_chain(const Knobs& knobs);
/// The product's ops and no planted ones, with these percentages of refused chains and in-place steps.
Knobs knobs_of(unsigned refused, unsigned inplace = 50);
/// The product's ops for which `keep` holds.
std::vector<const Op*> ops_where(const std::function<bool(const Op&)>& keep);

/// The plan that asks one witness alone.
Plan only(Witness witness);
/// Judges; a finding whose signature is not known fails the property.
void require_agreement(const Chain& chain, const Plan& plan = {});
/// Fails the property: stores the chain reduced to what still answers `shows`, and prints it.
[[noreturn]] void fail_with(const Chain& chain, const std::string& title, const std::string& words,
                            const std::function<bool(const Chain&)>& shows);
/// Draws chains and requires agreement of each.
void check_drawn(const Knobs& knobs, const Plan& plan = {}, int chains = 20);

}  // namespace gradsmith
