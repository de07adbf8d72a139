// The mutation that histories are built by: a chain is cut down to what the history of one memory needs, and goes on there.
#include <algorithm>
#include <set>

#include "harness/generate.hpp"
#include "harness/mutate.hpp"
#include "harness/mutate_edit.hpp"
#include "harness/typing.hpp"

namespace gradsmith::mutating {
namespace {

/// What one memory needs of a chain, found from the end to the beginning.
class Need {
 public:
  Need(const Typed& typed, int memory, Choices& choices) : typed_(typed), memory_(memory), choices_(choices) {}

  /// The statement stays. Of a `backward`, roots that concern another memory go.
  bool keeps(Statement& statement) {
    if (const auto* input = std::get_if<Input>(&statement)) return wanted(input->name);
    if (auto* backward = std::get_if<Backward>(&statement)) return keeps(*backward);
    const auto* step = std::get_if<Step>(&statement);
    if (!step) return false;
    bool kept = false, reads = false;
    for_each_ref(*step, [&](const Value& value) { reads |= storage(value) == memory_; });
    if (step->inplace) {
      kept = storages_.contains(storage(Args(step->args).tensor(0)));
    } else {
      for (const Value result : step->results) kept |= result != dropped && wanted(result);
      kept |= reads && choices_.chance(40);
    }
    if (kept) for_each_ref(*step, [&](const Value& value) { want(value); });
    return kept;
  }

  void want(Value value) {
    values_.insert(value);
    storages_.insert(storage(value));
  }

 private:
  int storage(Value value) const { return typed_.values[value].storage; }
  bool wanted(Value value) const { return values_.contains(value); }
  bool keeps(Backward& backward) {
    const bool named = std::any_of(backward.results.begin(), backward.results.end(), [&](Value v) { return wanted(v); });
    if (!named && !choices_.chance(75)) return false;
    std::vector<Value> roots = backward.roots;
    std::erase_if(roots, [&](Value root) { return storage(root) != memory_ && !wanted(root); });
    if (roots.empty()) roots = {backward.roots.back()};
    if (!backward.cotangent || backward.cotangent->kind != Spec::Kind::list) backward.roots = std::move(roots);
    for (const Value root : backward.roots) want(root);
    if (backward.wrt)
      for (const Value value : *backward.wrt) want(value);
    return true;
  }

  const Typed& typed_;
  int memory_;
  Choices& choices_;
  std::set<Value> values_{};
  std::set<int> storages_{};
};

/// Regions with nothing in them.
void drop_empty_regions(const Chain& chain, std::vector<bool>& drop) {
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < chain.statements.size(); ++i) {
    if (std::holds_alternative<RegionBegin>(chain.statements[i])) {
      open.push_back(i);
      drop[i] = true;
    } else if (std::holds_alternative<RegionEnd>(chain.statements[i])) {
      drop[i] = drop[open.back()];
      open.pop_back();
    } else if (!drop[i]) {
      for (const std::size_t begin : open) drop[begin] = false;
    }
  }
}

}  // namespace

bool pursue(Chain& chain, Choices& choices) {
  const auto result = type_chain(chain);
  const auto* typed = std::get_if<Typed>(&result);
  if (!typed || std::find(typed->known.begin(), typed->known.end(), false) != typed->known.end()) return false;
  std::vector<unsigned> weights = ages_of_memory(chain, *typed);
  if (std::all_of(weights.begin(), weights.end(), [](unsigned weight) { return weight == 0; })) return false;
  for (unsigned& weight : weights) weight *= weight * weight;
  const auto memory = static_cast<int>(choices.weighted(weights));
  Need need(*typed, memory, choices);
  for (Value value = 0; value < static_cast<Value>(chain.names.size()); ++value)
    if (typed->values[value].storage == memory && choices.chance(85)) need.want(value);
  std::vector<bool> drop(chain.statements.size());
  for (std::size_t i = chain.statements.size(); i-- > 0;) drop[i] = !need.keeps(chain.statements[i]);
  drop_empty_regions(chain, drop);
  chain = canonical_names(reducing::without(chain, drop));
  if (choices.chance(20)) chain.statements.resize(some_place(chain, choices));
  return continue_from(chain, Growth::history, static_cast<int>(choices.between(0, 3)), choices);
}

}  // namespace gradsmith::mutating
