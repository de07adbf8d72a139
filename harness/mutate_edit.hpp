// What mutations share. Included by mutate*.cpp and decode.cpp only.
#pragma once

#include <optional>
#include <vector>

#include "harness/choices.hpp"
#include "harness/generate.hpp"
#include "harness/op.hpp"
#include "harness/reduce_edit.hpp"

namespace gradsmith::mutating {

/// Indices of the statements of one kind.
template <class T>
std::vector<std::size_t> positions_of(const Chain& chain) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < chain.statements.size(); ++i)
    if (std::holds_alternative<T>(chain.statements[i])) out.push_back(i);
  return out;
}
template <class T>
std::optional<std::size_t> some(const Chain& chain, Choices& choices) {
  const auto found = positions_of<T>(chain);
  if (found.empty()) return std::nullopt;
  return found[choices.below(found.size())];
}

/// Names defined before statement `position`.
std::vector<Value> defined_before(const Chain& chain, std::size_t position);
/// A random argument for a parameter; tensors come from `values`, which is not empty.
Argument draw_argument(const Param& param, const std::vector<Value>& values, Choices& choices);
/// A step of a random op over these tensors, results named by new_value(). Seldom valid.
Step draw_step(Chain& chain, const std::vector<Value>& values, Choices& choices);
/// A `backward` of one or two of these tensors.
Backward draw_backward(const std::vector<Value>& values, Choices& choices);
/// Puts a statement before the one at `position`.
void insert(Chain& chain, std::size_t position, Statement statement);
/// A position behind the leading inputs.
std::size_t some_place(const Chain& chain, Choices& choices);
/// Goes on from what is left of a chain whose end was cut off: shortened until it may grow, its regions closed.
bool continue_from(Chain& chain, Growth growth, int steps, Choices& choices);

// mutate_steps.cpp
bool insert_step(Chain& chain, Choices& choices);
bool repeat_step(Chain& chain, Choices& choices);
bool replace_op(Chain& chain, Choices& choices);
bool toggle_inplace(Chain& chain, Choices& choices);
bool rewire(Chain& chain, Choices& choices);
bool change_attribute(Chain& chain, Choices& choices);
bool change_input(Chain& chain, Choices& choices);
// mutate_history.cpp
/// A chain cut down to what the history of one memory needs, and continued there. Memory that was written and viewed often
/// is chosen most.
bool pursue(Chain& chain, Choices& choices);
// mutate_structure.cpp
bool grow_inside(Chain& chain, Choices& choices);
bool grow_at_end(Chain& chain, Choices& choices);
bool probe(Chain& chain, Choices& choices);
bool regrow(Chain& chain, Choices& choices);
bool insert_view(Chain& chain, Choices& choices);
bool insert_write(Chain& chain, Choices& choices);
bool poison(Chain& chain, Choices& choices);
bool move_statement(Chain& chain, Choices& choices);
bool add_region(Chain& chain, Choices& choices);
bool drop_region(Chain& chain, Choices& choices);
bool add_backward(Chain& chain, Choices& choices);
bool change_backward(Chain& chain, Choices& choices);
bool splice_from_pool(Chain& chain, Choices& choices);
bool simplify(Chain& chain, Choices& choices);
/// Puts some steps of `other` into `chain`: tensors that they read are replaced by tensors of `chain`, attributes are mended.
bool splice(Chain& chain, const Chain& other, Choices& choices);

}  // namespace gradsmith::mutating
