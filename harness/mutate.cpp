#include "harness/mutate.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "harness/generate.hpp"
#include "harness/mutate_edit.hpp"
#include "harness/retype.hpp"
#include "harness/typing.hpp"

namespace gradsmith {

std::span<const Mutation> mutations() {
  using namespace mutating;
  // Most weight on what goes on from a history that is there (reports/2026-11-26-ablation.md).
  static constexpr std::array<Mutation, 21> table{{
      {"pursue", 380, false, pursue},
      {"regrow", 30, false, regrow},
      {"probe", 16, true, probe},
      {"splice", 20, true, splice_from_pool},
      {"grow inside", 6, true, grow_inside},
      {"grow at end", 8, true, grow_at_end},
      {"insert view", 3, true, insert_view},
      {"insert write", 5, true, insert_write},
      {"poison", 2, true, poison},
      {"insert step", 2, true, insert_step},
      {"repeat step", 2, true, repeat_step},
      {"add region", 3, true, add_region},
      {"add backward", 4, true, add_backward},
      {"replace op", 6, false, replace_op},
      {"toggle in place", 2, false, toggle_inplace},
      {"rewire", 3, false, rewire},
      {"change attribute", 2, false, change_attribute},
      {"change input", 3, false, change_input},
      {"move statement", 3, false, move_statement},
      {"drop region", 1, false, drop_region},
      {"change backward", 2, false, change_backward},
  }};
  return table;
}

/// Elements of all named tensors together; nothing if the chain is not valid.
static std::optional<std::int64_t> elements(const Chain& chain) {
  if (!reducing::valid(chain)) return std::nullopt;
  const auto typed = std::get<Typed>(type_chain(chain));
  std::int64_t sum = 0;
  for (std::size_t v = 0; v < typed.values.size(); ++v)
    if (typed.known[v]) sum += element_count(typed.values[v].layout.shape);
  return sum;
}

/// The chain on tensors small enough to be run a thousand times a second; a fresh one where its steps do not allow that.
static Chain small_enough(const Chain& chain, Choices& choices) {
  constexpr std::int64_t longest = 3;
  if (elements(chain).value_or(most_elements + 1) <= most_elements) return chain;
  Chain smaller = canonical_names(chain);
  smaller.comments.clear();
  for (Statement& statement : smaller.statements)
    if (auto* input = std::get_if<Input>(&statement)) {
      for (auto& size : input->shape) size = std::min(size, longest);
      input->strides.reset();
      if (input->values.kind == Spec::Kind::list) input->values = {};
    }
  const bool fits = reducing::mend(smaller) && elements(smaller).value_or(most_elements + 1) <= most_elements;
  return fits ? smaller : canonical_names(generate(choices));
}

static Chain changed_or_same(const Chain& chain, Choices& choices, bool (*apply)(Chain&, Choices&)) {
  Chain changed = canonical_names(chain);
  changed.comments.clear();
  if (!apply(changed, choices) || elements(changed).value_or(most_elements + 1) > most_elements) return chain;
  return canonical_names(changed);
}

Chain mutate(const Chain& given, Choices& choices) {
  const Chain chain = small_enough(given, choices);
  const bool full = step_count(chain) > longest_mutant;
  for (int attempt = 0; attempt < 40; ++attempt) {
    Chain changed = chain;
    if (choices.chance(8)) {
      changed = changed_or_same(chain, choices, mutating::simplify);
    } else {
      std::array<unsigned, 21> weights{};
      for (std::size_t i = 0; i < weights.size(); ++i)
        weights[i] = full && mutations()[i].grows ? 0 : mutations()[i].weight;
      changed = changed_or_same(chain, choices, mutations()[choices.weighted(weights)].apply);
    }
    if (!(changed == chain)) return changed;
  }
  return chain;
}

/// Casts some tensor, and all that comes later takes the cast.
static bool insert_cast(Chain& chain, DType dtype, Choices& choices) {
  const std::size_t position = mutating::some_place(chain, choices);
  const auto values = mutating::defined_before(chain, position);
  if (values.empty()) return false;
  const Value source = choices.pick(values), cast = reducing::new_value(chain);
  reducing::substitute(chain, position, source, cast);
  mutating::insert(chain, position, Step{.op = find_op("to"), .args = {Ref{source}, dtype}, .results = {cast}});
  return true;
}

Chain mutate_types(const Chain& chain, Choices& choices) {
  Chain changed = canonical_names(chain);
  changed.comments.clear();
  const DType dtype = floating_types[choices.below(floating_types.size())];
  const std::vector<DType*> places = type_places(changed);
  if (places.size() < 2 || choices.chance(30)) insert_cast(changed, dtype, choices);
  else *choices.pick(places) = dtype;
  return reducing::valid(changed) ? canonical_names(changed) : chain;
}

}  // namespace gradsmith
