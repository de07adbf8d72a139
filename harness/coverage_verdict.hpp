// What a judged chain reaches: the domains `outcome` and `numerics`. Pure functions of chain and verdict.
#pragma once

#include "harness/coverage.hpp"
#include "harness/judge.hpp"

namespace gradsmith {

/// Notes status, errors and holes with the form concerned, what the witnesses said, how near the worst element is to the
/// tolerance, and which forms gave numbers that are not ordinary.
void cover_verdict(const Chain& chain, const Verdict& verdict, Reached& reached);

/// Worth going on from. What shows a finding shows it in most of its mutants, where it hides what else is wrong; of what no
/// witness could decide, nothing is learnt.
constexpr bool breeds(Status status) { return status != Status::finding && status != Status::inconclusive; }

}  // namespace gradsmith
