#include "properties/op_cases.hpp"

#include <algorithm>
#include <map>

#include "harness/expect.hpp"
#include "harness/generate.hpp"
#include "harness/print.hpp"

namespace gradsmith {
namespace {

/// The step of a generated chain over inputs of its own; nothing if the chain has none.
std::optional<OpCase> case_in(const Chain& chain) {
  const Step* step = nullptr;
  for (const auto& statement : chain.statements)
    if (const auto* s = std::get_if<Step>(&statement)) step = s;
  if (!step) return std::nullopt;
  OpCase out;
  std::map<Value, Value> renamed;
  Step copy = *step;
  for_each_ref(copy, [&](Value& value) {
    const auto [at, fresh] = renamed.try_emplace(value, static_cast<Value>(renamed.size()));
    if (fresh) {
      out.chain.names.push_back(chain.names[value]);
      for (const auto& statement : chain.statements)
        if (const auto* input = std::get_if<Input>(&statement); input && input->name == value) {
          Input kept = *input;
          kept.name = at->second;
          kept.requires_grad = false;
          if (is_floating(kept.dtype)) out.floating.push_back(out.chain.statements.size());
          out.chain.statements.emplace_back(std::move(kept));
        }
    }
    value = at->second;
  });
  const bool pure = copy.op->pure || copy.op->pure_many;
  if (pure && copy.inplace) {
    copy.inplace = false;
    copy.results = {0};
  }
  for (Value& result : copy.results) {
    if (result == dropped) continue;
    result = static_cast<Value>(out.chain.names.size());
    out.chain.names.push_back("v" + std::to_string(out.chain.names.size()));
  }
  out.chain.statements.emplace_back(std::move(copy));
  return out;
}

}  // namespace

std::vector<OpCase> cases_of(const Op& op, int count) {
  Knobs knobs;
  knobs.max_steps = 1;
  knobs.refused = knobs.regions = knobs.edges = 0;
  knobs.ops = {&op};
  knobs.mixed = op.mixing == Mixing::named;
  std::vector<OpCase> out;
  for (std::uint64_t seed = 0; static_cast<int>(out.size()) < count && seed < 4u * static_cast<unsigned>(count);
       ++seed) {
    Choices choices(seed);
    if (auto one = case_in(generate(choices, knobs))) out.push_back(std::move(*one));
  }
  return out;
}

Chain variant(const OpCase& one, bool inplace, unsigned graded) {
  Chain chain = one.chain;
  for (std::size_t i = 0; i < one.floating.size(); ++i)
    std::get<Input>(chain.statements[one.floating[i]]).requires_grad = graded >> i & 1;
  if (!inplace) return chain;
  Step step = one.step();
  chain.statements.pop_back();
  step.inplace = true;
  step.results.clear();
  const Value target = Args(step.args).tensor(0);
  chain.names.resize(chain.statements.size());  // the results' names
  if (std::get<Input>(chain.statements[static_cast<std::size_t>(target)]).requires_grad) {
    const auto clone = static_cast<Value>(chain.names.size());
    chain.names.emplace_back("h");
    chain.statements.emplace_back(Step{.op = find_op("clone"), .args = {Ref{target}}, .results = {clone}});
    for_each_ref(step, [&](Value& value) { value = value == target ? clone : value; });
  }
  chain.statements.emplace_back(std::move(step));
  return chain;
}

std::vector<Chain> variants(const OpCase& one) {
  std::vector<Chain> out;
  const Op& op = *one.step().op;
  for (const bool inplace : {false, true}) {
    if (inplace ? !op.inplace : !(op.pure || op.pure_many)) continue;
    for (unsigned graded = 0; graded < 1u << one.floating.size(); ++graded)
      out.push_back(variant(one, inplace, graded));
  }
  return out;
}

Chain touched(Chain chain, Value value) {
  chain.statements.emplace_back(RegionBegin{});
  chain.statements.emplace_back(Step{.op = find_op("zero"), .inplace = true, .args = {Ref{value}}, .results = {}});
  chain.statements.emplace_back(RegionEnd{});
  return chain;
}

Chain differentiated_twice(Chain chain) {
  const auto typed = type_chain(chain);
  if (!std::holds_alternative<Typed>(typed)) return chain;
  std::vector<Value> roots;
  if (expect(chain, std::get<Typed>(typed), &roots).refusal || roots.empty()) return chain;
  // Not from a clone that the target was: its node keeps nothing.
  for (int i = 0; i < 2; ++i) chain.statements.emplace_back(Backward{.roots = roots, .cotangent = Spec{}});
  return chain;
}

const std::vector<const Op*>& product_ops() {
  static const std::vector<const Op*> ops = [] {
    std::vector<const Op*> all = all_ops();
    for (const Op* planted : extra_ops()) std::erase(all, planted);
    return all;
  }();
  return ops;
}

std::string complaint(std::string_view what, const Chain& chain) { return std::string(what) + "\n" + print(chain); }

std::string brief(const Complaints& complaints) {
  std::string out;
  for (std::size_t i = 0; i < std::min<std::size_t>(complaints.size(), 3); ++i) out += complaints[i] + "\n";
  if (complaints.size() > 3) out += "and " + std::to_string(complaints.size() - 3) + " more\n";
  return out;
}

}  // namespace gradsmith
