// Chains judged in processes of their own, which may die of it: their signatures, those of deaths among them. Knows the
// judge and processes; nothing of runs, campaigns or files.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/judge.hpp"
#include "harness/process.hpp"

namespace gradsmith {

/// A chain and how it is to be judged.
struct Question {
  Chain chain{};
  Plan plan{};
};

/// A judged chain's signature when the process may die of it; nothing if the chain shows no finding. No verdict within
/// `seconds` is a hang. The op at fault in a death is the one that was under way; in a backward, the last step that
/// ends a process by itself. EnvironmentError where a lane or the device of the plan does not work.
std::optional<Signature> signature_apart(const Chain& chain, const Plan& plan, double seconds = 20);
/// The same of many, in the order asked. Those with the same lanes and device share a process until one of them kills
/// it: to start LibTorch, and a device all the more, takes far longer than to judge a chain.
std::vector<std::optional<Signature>> signatures_apart(const std::vector<Question>& questions, double seconds = 20);

/// The signature of a process that died or hung over a chain. The op at fault is known only if its last words named it.
Signature death_signature(bool hang, const Ended& ended);
/// The same as half a sentence.
std::string death_words(bool hang, const Ended& ended);

}  // namespace gradsmith
