#include "harness/mutate.hpp"

#include <array>

#include "harness/mutate_edit.hpp"

namespace gradsmith {

std::span<const Mutation> mutations() {
  using namespace mutating;
  // Most weight on what adds to a history that is there: a relation of four steps grows from one of three.
  static constexpr std::array<Mutation, 18> table{{
      {"grow inside", 14, true, grow_inside},
      {"grow at end", 8, true, grow_at_end},
      {"insert view", 8, true, insert_view},
      {"insert write", 10, true, insert_write},
      {"poison", 4, true, poison},
      {"insert step", 6, true, insert_step},
      {"repeat step", 4, true, repeat_step},
      {"add region", 5, true, add_region},
      {"add backward", 6, true, add_backward},
      {"splice", 8, true, splice_from_pool},
      {"replace op", 14, false, replace_op},
      {"toggle in place", 5, false, toggle_inplace},
      {"rewire", 7, false, rewire},
      {"change attribute", 4, false, change_attribute},
      {"change input", 5, false, change_input},
      {"move statement", 6, false, move_statement},
      {"drop region", 2, false, drop_region},
      {"change backward", 3, false, change_backward},
  }};
  return table;
}

static Chain changed_or_same(const Chain& chain, Choices& choices, bool (*apply)(Chain&, Choices&)) {
  Chain changed = canonical_names(chain);
  changed.comments.clear();
  if (!apply(changed, choices) || !reducing::valid(changed)) return chain;
  return canonical_names(changed);
}

Chain mutate(const Chain& chain, Choices& choices) {
  const bool full = step_count(chain) > longest_mutant;
  for (int attempt = 0; attempt < 40; ++attempt) {
    Chain changed = chain;
    if (choices.chance(full ? 60 : 12)) {
      changed = changed_or_same(chain, choices, mutating::simplify);
    } else {
      std::array<unsigned, 18> weights{};
      for (std::size_t i = 0; i < weights.size(); ++i)
        weights[i] = full && mutations()[i].grows ? 0 : mutations()[i].weight;
      changed = changed_or_same(chain, choices, mutations()[choices.weighted(weights)].apply);
    }
    if (!(changed == chain)) return changed;
  }
  return chain;
}

Chain crossover(const Chain& chain, const Chain& other, Choices& choices) {
  for (int attempt = 0; attempt < 8; ++attempt) {
    Chain changed = canonical_names(chain);
    changed.comments.clear();
    if (mutating::splice(changed, canonical_names(other), choices) && reducing::valid(changed))
      return canonical_names(changed);
  }
  return chain;
}

}  // namespace gradsmith
