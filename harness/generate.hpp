// Random valid chains, built on concrete values: the generator types, evaluates and models each step as it goes, so it
// knows domains, kinks and refusals before LibTorch runs. Knows the op table, the reference and the expectation model.
#pragma once

#include <string>
#include <vector>

#include "harness/chain.hpp"
#include "harness/choices.hpp"

namespace gradsmith {

/// What to draw. Percentages are of chains or steps as said.
struct Knobs {
  int max_steps = 10;               ///< at most; the mean is about 6
  std::int64_t max_elements = 16;   ///< per input (33 in a twentieth of chains, to pass vector widths)
  unsigned refused = 30;            ///< % of chains that must be refused
  unsigned inplace = 50;            ///< % of steps, where an in-place form exists and fits
  unsigned views = 20;              ///< % of steps
  unsigned aliasing = 40;           ///< % of steps that pick a tensor whose storage is saved or shared
  unsigned edges = 4;               ///< % of inputs with values=edges
  unsigned regions = 8;             ///< % of steps that open a region
  DType dtype = DType::f64;         ///< of all floating inputs
  bool mixed = false;  ///< each floating input has a type of its own, and steps may cast; `dtype` does not count
  std::vector<const Op*> ops{};     ///< only these; empty: all
};

/// A valid chain; never fails. Equal choices and knobs give equal chains on every machine.
Chain generate(Choices& choices, const Knobs& knobs = {});

struct Typed;

/// By storage: how often floating memory was named and, counted twice, written. 0 for other memory.
std::vector<unsigned> ages_of_memory(const Chain& chain, const Typed& typed);

/// What an extension of a chain should be: steps, ops tried on memory that has seen something, more history of the oldest
/// memory, one view, write or `backward`, or a recipe for a refusal.
enum class Growth : std::uint8_t { step, probe, history, view, write, backward, refusal };

/// `prefix`, of which regions may be open, with up to `steps` more steps (or one `backward`, or one recipe for a refusal),
/// drawn as generate() draws them: inside every op's domain, and not refused unless that is asked for. What is refused
/// already is not extended. Names are canonical; the prefix's values keep their numbers if they were canonical, too.
Chain extend(const Chain& prefix, Choices& choices, Growth growth, int steps, const Knobs& knobs = {});

}  // namespace gradsmith
