#include "harness/mutate.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "harness/op.hpp"
#include "harness/reduce.hpp"
#include "harness/typing.hpp"

namespace gradsmith {
namespace {

template <class T>
std::vector<std::size_t> positions_of(const Chain& chain) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < chain.statements.size(); ++i)
    if (std::holds_alternative<T>(chain.statements[i])) out.push_back(i);
  return out;
}

/// Names defined before statement `position`.
std::vector<Value> defined_before(const Chain& chain, std::size_t position) {
  std::vector<Value> out;
  for (std::size_t i = 0; i < position; ++i) {
    if (const auto* input = std::get_if<Input>(&chain.statements[i])) out.push_back(input->name);
    if (const auto* step = std::get_if<Step>(&chain.statements[i]))
      for (const Value value : step->results)
        if (value != dropped) out.push_back(value);
  }
  return out;
}

Value new_name(Chain& chain) {
  for (int number = 1;; ++number) {
    std::string name = "m" + std::to_string(number);
    if (std::find(chain.names.begin(), chain.names.end(), name) != chain.names.end()) continue;
    chain.names.push_back(std::move(name));
    return static_cast<Value>(chain.names.size()) - 1;
  }
}

/// A random argument for a parameter; tensors come from `values`.
Argument draw_argument(const Param& param, const std::vector<Value>& values, Choices& choices) {
  const auto small = [&] { return static_cast<double>(choices.between(-1, 3)); };
  if (param.optional && choices.chance(60)) return param.preset;
  if (!param.choices.empty()) return param.choices[choices.below(param.choices.size())];
  switch (param.kind) {
    case Kind::tensor: return Ref{values[choices.below(values.size())]};
    case Kind::tensor_or_number:
      if (choices.chance(60)) return Ref{values[choices.below(values.size())]};
      return small() / 2;
    case Kind::tensors: return std::vector<Ref>{Ref{values[choices.below(values.size())]}};
    case Kind::number: return small() / 2;
    case Kind::integer: return small();
    case Kind::integers: {
      std::vector<double> list(choices.below(3) + 1);
      for (double& x : list) x = small();
      return list;
    }
    case Kind::boolean: return choices.chance(50);
    case Kind::text: return param.preset;
    case Kind::dtype: return DType::f64;
  }
  return None{};
}

bool insert_step(Chain& chain, Choices& choices) {
  const auto inputs = positions_of<Input>(chain);
  if (inputs.empty()) return false;
  const std::size_t position = choices.between(static_cast<std::int64_t>(inputs.back()) + 1,
                                               static_cast<std::int64_t>(chain.statements.size()));
  const auto values = defined_before(chain, position);
  if (values.empty()) return false;
  const auto& ops = all_ops();
  Step step{.op = ops[choices.below(ops.size())]};
  for (const Param& param : step.op->params) step.args.push_back(draw_argument(param, values, choices));
  const bool out_of_place = step.op->pure || step.op->pure_many;
  step.inplace = step.op->inplace && (!out_of_place || choices.chance(50));
  if (!step.inplace)
    for (std::size_t k = step.op->pure_many ? choices.below(3) + 1 : 1; k > 0; --k) step.results.push_back(new_name(chain));
  chain.statements.insert(chain.statements.begin() + static_cast<std::ptrdiff_t>(position), step);
  return true;
}

bool toggle_inplace(Chain& chain, Choices& choices) {
  const auto steps = positions_of<Step>(chain);
  if (steps.empty()) return false;
  const std::size_t at = steps[choices.below(steps.size())];
  Step& step = std::get<Step>(chain.statements[at]);
  if (!step.op->inplace || !step.op->pure) return false;
  const Value target = Args(step.args).tensor(0);
  if (!step.inplace) {  // later uses of the result become uses of the target
    const Value result = step.results[0];
    step.inplace = true;
    step.results.clear();
    for (std::size_t i = at + 1; i < chain.statements.size(); ++i) {
      if (auto* later = std::get_if<Step>(&chain.statements[i]))
        for_each_ref(*later, [&](Value& v) { v = v == result ? target : v; });
      if (auto* backward = std::get_if<Backward>(&chain.statements[i])) {
        for (Value& v : backward->roots) v = v == result ? target : v;
        if (backward->wrt)
          for (Value& v : *backward->wrt) v = v == result ? target : v;
      }
    }
    return true;
  }
  step.inplace = false;
  const Value result = new_name(chain);
  std::get<Step>(chain.statements[at]).results = {result};
  return true;
}

bool rewire(Chain& chain, Choices& choices) {
  const auto steps = positions_of<Step>(chain);
  if (steps.empty()) return false;
  const std::size_t at = steps[choices.below(steps.size())];
  const auto values = defined_before(chain, at);
  Step& step = std::get<Step>(chain.statements[at]);
  const std::size_t which = choices.below(step.args.size());
  if (auto* ref = std::get_if<Ref>(&step.args[which])) {
    ref->value = values[choices.below(values.size())];
    return true;
  }
  step.args[which] = draw_argument(step.op->params[which], values, choices);
  return true;
}

bool change_input(Chain& chain, Choices& choices) {
  const auto inputs = positions_of<Input>(chain);
  if (inputs.empty()) return false;
  Input& input = std::get<Input>(chain.statements[inputs[choices.below(inputs.size())]]);
  switch (choices.below(5)) {
    case 0: input.requires_grad = !input.requires_grad && is_floating(input.dtype); break;
    case 1: input.values = {.kind = Spec::Kind::uniform, .seed = choices.below(1000), .lo = 0.5, .hi = 2}; break;
    case 2: input.values = {.kind = choices.chance(80) ? Spec::Kind::normal : Spec::Kind::edges, .seed = choices.below(1000)}; break;
    case 3:  // transposed
      if (input.shape.size() < 2 || input.values.kind == Spec::Kind::list) return false;
      input.strides = Shape(input.shape.size(), 1);
      for (std::size_t d = 1; d < input.shape.size(); ++d)
        (*input.strides)[d] = (*input.strides)[d - 1] * std::max<std::int64_t>(input.shape[d - 1], 1);
      break;
    default:
      if (input.shape.empty() || input.values.kind == Spec::Kind::list || input.strides) return false;
      input.shape[choices.below(input.shape.size())] = choices.between(0, 5);
  }
  return true;
}

bool add_region(Chain& chain, Choices& choices) {
  const auto steps = positions_of<Step>(chain);
  if (steps.empty()) return false;
  const auto at = static_cast<std::ptrdiff_t>(steps[choices.below(steps.size())]);
  const auto kind = choices.chance(70) ? RegionBegin::Kind::no_grad : RegionBegin::Kind::inference;
  chain.statements.insert(chain.statements.begin() + at + 1, RegionEnd{});
  chain.statements.insert(chain.statements.begin() + at, RegionBegin{kind});
  return true;
}

bool add_backward(Chain& chain, Choices& choices) {
  const auto steps = positions_of<Step>(chain);
  if (steps.empty()) return false;
  const std::size_t at = steps[choices.below(steps.size())] + 1;
  const auto values = defined_before(chain, at);
  Backward backward{.roots = {values[choices.below(values.size())]}};
  if (choices.chance(80)) backward.cotangent = Spec{.seed = choices.below(100)};
  backward.retain_graph = choices.chance(40);
  chain.statements.insert(chain.statements.begin() + static_cast<std::ptrdiff_t>(at), backward);
  return true;
}

/// A random candidate of a random reduction pass: drops a step, simplifies a layout, ...
bool simplify(Chain& chain, Choices& choices) {
  const Pass& pass = passes()[choices.below(passes().size())];
  std::uint64_t skip = choices.below(8);
  std::optional<Chain> taken;
  pass.candidates(chain, [&](Chain&& candidate) {
    taken = std::move(candidate);
    return skip-- == 0;
  });
  if (!taken) return false;
  chain = std::move(*taken);
  return true;
}

}  // namespace

Chain mutate(const Chain& chain, Choices& choices) {
  using Mutation = bool (*)(Chain&, Choices&);
  constexpr std::array<Mutation, 10> mutations{insert_step,  insert_step, insert_step, toggle_inplace, rewire,
                                               rewire,       change_input, add_region, add_backward,   simplify};
  for (int attempt = 0; attempt < 40; ++attempt) {
    Chain changed = chain;
    if (!mutations[choices.below(mutations.size())](changed, choices)) continue;
    if (std::holds_alternative<Typed>(type_chain(changed))) return changed;
  }
  return chain;
}

}  // namespace gradsmith
