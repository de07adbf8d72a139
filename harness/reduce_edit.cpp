#include "harness/reduce_edit.hpp"

#include <algorithm>
#include <map>

#include "harness/values.hpp"

namespace gradsmith::reducing {

std::vector<Value> definitions(const Statement& statement) {
  if (const auto* input = std::get_if<Input>(&statement)) return {input->name};
  if (const auto* step = std::get_if<Step>(&statement)) return step->results;
  if (const auto* backward = std::get_if<Backward>(&statement)) return backward->results;
  return {};
}

std::vector<int> use_counts(const Chain& chain) {
  std::vector<int> counts(chain.names.size(), 0);
  for (Statement statement : chain.statements) for_each_use(statement, [&](Value& value) { ++counts[value]; });
  return counts;
}

Value new_value(Chain& chain) {
  chain.names.push_back("new" + std::to_string(chain.names.size()));
  return static_cast<Value>(chain.names.size()) - 1;
}

void substitute(Chain& chain, std::size_t first, Value from, Value to) {
  for (std::size_t i = first; i < chain.statements.size(); ++i)
    for_each_use(chain.statements[i], [&](Value& value) {
      if (value == from) value = to;
    });
}

std::size_t region_end(const Chain& chain, std::size_t begin) {
  int depth = 0;
  for (std::size_t i = begin; i < chain.statements.size(); ++i) {
    if (std::holds_alternative<RegionBegin>(chain.statements[i])) ++depth;
    if (std::holds_alternative<RegionEnd>(chain.statements[i]) && --depth == 0) return i;
  }
  return chain.statements.size() - 1;
}

Chain without(const Chain& chain, const std::vector<bool>& drop, std::size_t operand) {
  Chain out{chain.names, {}, chain.comments};
  std::map<Value, Value> forward;
  for (std::size_t i = 0; i < chain.statements.size(); ++i) {
    Statement statement = chain.statements[i];
    bool changed = false;
    for_each_use(statement, [&](Value& value) {
      if (const auto it = forward.find(value); it != forward.end()) {
        value = it->second;
        changed = true;
      }
    });
    if (!drop[i]) {
      if (auto* backward = std::get_if<Backward>(&statement); backward && changed) {
        std::vector<Value> roots;  // two roots forwarded to one tensor are one root
        for (const Value root : backward->roots)
          if (std::find(roots.begin(), roots.end(), root) == roots.end()) roots.push_back(root);
        backward->roots = roots;
      }
      out.statements.push_back(std::move(statement));
      continue;
    }
    if (auto* step = std::get_if<Step>(&statement)) {
      std::vector<Value> refs;
      for_each_ref(*step, [&](Value& value) { refs.push_back(value); });
      if (refs.empty()) continue;
      for (const Value value : step->results) forward[value] = refs[std::min(operand, refs.size() - 1)];
    } else if (const auto* backward = std::get_if<Backward>(&statement)) {
      for (std::size_t k = 0; k < backward->results.size(); ++k) forward[backward->results[k]] = (*backward->wrt)[k];
    }
  }
  return out;
}

std::vector<double> element_values(const Input& input) {
  const std::vector<double> storage = input_storage(input);
  std::vector<double> values;
  for (const std::int64_t position : storage_positions(input_layout(input))) values.push_back(storage[position]);
  return values;
}

Spec constant(std::int64_t count, double value) {
  if (count == 0 || count > longest_list) return Spec{};
  return {.kind = Spec::Kind::list, .list = std::vector<double>(static_cast<std::size_t>(count), value)};
}

bool Offer::operator()(const Chain& candidate) {
  if (!valid(candidate)) return false;
  Chain named = canonical_names(candidate);
  if (!(measure(named) < from_)) return false;
  return propose_(std::move(named));
}

bool Offer::mended(Chain candidate) { return mend(candidate) && (*this)(candidate); }

}  // namespace gradsmith::reducing
