// Passes over numbers: values of inputs and cotangents. Generators become lists, lists get simple numbers.
#include <algorithm>
#include <array>

#include "harness/reduce_edit.hpp"
#include "harness/typing.hpp"
#include "harness/values.hpp"

namespace gradsmith::reducing {
namespace {

/// The list of an input or of a cotangent, or null.
std::vector<double>* list_of(Statement& statement) {
  Spec* spec = nullptr;
  if (auto* input = std::get_if<Input>(&statement)) spec = &input->values;
  if (auto* backward = std::get_if<Backward>(&statement)) spec = backward->cotangent ? &*backward->cotangent : nullptr;
  return spec && spec->kind == Spec::Kind::list ? &spec->list : nullptr;
}

DType dtype_of(const Statement& statement) {
  const auto* input = std::get_if<Input>(&statement);
  return input ? input->dtype : DType::f64;
}

/// All inputs at once, then each: one constant, the plainest generators, or the same values written out.
void plain_inputs(const Chain& chain, Offer& offer) {
  constexpr std::array constants{0.0, 1.0, -1.0, 2.0, 0.5};
  for (const double value : constants) {
    Chain all = chain;
    for (Statement& statement : all.statements)
      if (auto* input = std::get_if<Input>(&statement)) input->values = constant(element_count(input->shape), value);
    if (offer(all)) return;
  }
  for (std::size_t i = 0; i < chain.statements.size(); ++i) {
    const auto* input = std::get_if<Input>(&chain.statements[i]);
    if (!input) continue;
    const auto with = [&](Spec spec) {
      Chain less = chain;
      std::get<Input>(less.statements[i]).values = std::move(spec);
      return offer(less);
    };
    const std::int64_t count = element_count(input->shape);
    for (const double value : constants)
      if (with(constant(count, value))) return;
    if (count > 0 && count <= longest_list && input->values.kind != Spec::Kind::list)
      if (with({.kind = Spec::Kind::list, .list = element_values(*input)})) return;
    for (const Spec& spec :
         {Spec{}, Spec{.kind = Spec::Kind::uniform}, Spec{.kind = Spec::Kind::uniform, .lo = 1, .hi = 2},
          Spec{.kind = Spec::Kind::uniform, .lo = -1, .hi = 0}})
      if (with(spec)) return;
    Spec first = input->values;
    first.seed = 0;
    if (with(first)) return;
    for (first.seed = 1; first.seed < std::min<std::uint64_t>(input->values.seed, 4); ++first.seed)
      if (with(first)) return;
  }
}

/// Explicit cotangents: 1s, 0s, written out, the plainest generator.
void plain_cotangents(const Chain& chain, Offer& offer) {
  const auto typed = type_chain(chain);
  for (std::size_t i = 0; i < chain.statements.size(); ++i) {
    const auto* backward = std::get_if<Backward>(&chain.statements[i]);
    if (!backward || !backward->cotangent || !std::holds_alternative<Typed>(typed)) continue;
    const auto with = [&](Spec spec) {
      Chain less = chain;
      std::get<Backward>(less.statements[i]).cotangent = std::move(spec);
      return offer(less);
    };
    Spec first = *backward->cotangent;
    first.seed = 0;
    if (with(Spec{}) || with(first)) return;
    if (first.kind != Spec::Kind::list) continue;
    for (const double value : {0.0, 1.0})
      if (with(constant(static_cast<std::int64_t>(first.list.size()), value))) return;
  }
}

/// Equal numbers change together, wherever they stand.
void lower_equal_numbers(const Chain& chain, Offer& offer) {
  Chain copy = chain;
  std::vector<std::pair<double, DType>> seen;
  for (Statement& statement : copy.statements)
    if (const auto* numbers = list_of(statement))
      for (const double number : *numbers) {
        const std::pair<double, DType> entry{number, dtype_of(statement)};
        if (std::find(seen.begin(), seen.end(), entry) == seen.end()) seen.push_back(entry);
      }
  for (const auto& [number, dtype] : seen)
    for (const double other : simpler_numbers(number, dtype)) {
      Chain less = chain;
      for (Statement& statement : less.statements)
        if (auto* numbers = list_of(statement)) std::replace(numbers->begin(), numbers->end(), number, other);
      if (offer(less)) return;
    }
}

/// Numbers one by one, left to right; elements of an input that share a cell change together.
void lower_numbers(const Chain& chain, Offer& offer) {
  Chain copy = chain;
  for (std::size_t i = 0; i < chain.statements.size(); ++i) {
    const auto* numbers = list_of(copy.statements[i]);
    if (!numbers) continue;
    std::vector<std::int64_t> cells(numbers->size());
    for (std::size_t k = 0; k < cells.size(); ++k) cells[k] = static_cast<std::int64_t>(k);
    if (const auto* input = std::get_if<Input>(&chain.statements[i])) cells = storage_positions(input_layout(*input));
    for (std::size_t k = 0; k < numbers->size(); ++k) {
      if (std::find(cells.begin(), cells.begin() + static_cast<std::ptrdiff_t>(k), cells[k]) !=
          cells.begin() + static_cast<std::ptrdiff_t>(k))
        continue;
      for (const double other : simpler_numbers((*numbers)[k], dtype_of(chain.statements[i]))) {
        Chain less = chain;
        auto& changed = *list_of(less.statements[i]);
        for (std::size_t m = k; m < changed.size(); ++m)
          if (cells[m] == cells[k]) changed[m] = other;
        if (offer(less)) return;
      }
    }
  }
}

/// Two numbers of one list trade places, or two inputs their values: the simpler text wins.
void sort_numbers(const Chain& chain, Offer& offer) {
  Chain copy = chain;
  for (std::size_t i = 0; i < chain.statements.size(); ++i) {
    const auto* numbers = list_of(copy.statements[i]);
    if (!numbers || static_cast<std::int64_t>(numbers->size()) > longest_list) continue;
    for (std::size_t k = 0; k < numbers->size(); ++k)
      for (std::size_t m = k + 1; m < numbers->size(); ++m) {
        if ((*numbers)[k] == (*numbers)[m]) continue;
        Chain less = chain;
        std::swap((*list_of(less.statements[i]))[k], (*list_of(less.statements[i]))[m]);
        if (offer(less)) return;
      }
    for (std::size_t other = 0; other < i && std::holds_alternative<Input>(chain.statements[i]); ++other) {
      if (!std::holds_alternative<Input>(chain.statements[other])) continue;
      Chain less = chain;
      std::swap(std::get<Input>(less.statements[i]).values, std::get<Input>(less.statements[other]).values);
      if (offer(less)) return;
    }
  }
}

constexpr std::array<Pass, 5> list{{
    {"plain inputs", pass<plain_inputs>},
    {"plain cotangents", pass<plain_cotangents>},
    {"lower equal numbers", pass<lower_equal_numbers>},
    {"lower numbers", pass<lower_numbers>},
    {"sort numbers", pass<sort_numbers>},
}};

}  // namespace

std::span<const Pass> value_passes() { return list; }

}  // namespace gradsmith::reducing
