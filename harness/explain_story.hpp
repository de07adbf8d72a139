// What happened to versions, graph and values at each statement, by the model and the reference: the material of
// explain*.cpp. Private to them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/expect_view.hpp"
#include "harness/repro.hpp"

namespace gradsmith {

/// A version counter that a statement moved.
struct Bump {
  int counter, from, to;
  std::size_t statement;
};

/// One statement, carried out (or refused: then as far as the model got).
struct Moment {
  std::vector<std::optional<TensorView>> tensors{};  ///< by Value, afterwards
  std::vector<std::optional<std::vector<double>>>
      values{};  ///< by Value, by the reference; absent where it cannot follow
};

/// A whole chain up to its end or its refusal.
struct Story {
  std::vector<Moment> moments{};          ///< by statement; shorter than the chain where a refusal ends it
  std::vector<Bump> bumps{};              ///< in order
  std::vector<NodeView> nodes{};          ///< at the end
  std::vector<std::size_t> made_at{};     ///< by node: the statement that made it
  std::vector<std::size_t> defined_at{};  ///< by Value: the statement that names it
  Blame blame{};
};
Story tell(const Chain& chain, const Typed& typed, const Answer& answer);

/// The number of a step, counted from 1 as in the language; 0 for other statements.
int step_number(const Chain& chain, std::size_t statement);
/// "sigmoid (step 1)", "relu_ (step 2)", "the input" for an input.
std::string step_words(const Chain& chain, std::size_t statement);
/// The name a step leaves its result under: its target, or its first result that is kept; "" if there is none.
std::string product_name(const Chain& chain, std::size_t statement);
/// Why the model expects the chain's refusal, in one sentence.
std::string cause_of_refusal(const Chain& chain, const Answer& answer, const Story& story);

}  // namespace gradsmith
