// Mutations of single statements: a step's op, form, operands and attributes; an input.
#include <algorithm>

#include "harness/mutate_edit.hpp"
#include "harness/retype.hpp"

namespace gradsmith::mutating {

std::vector<Value> defined_before(const Chain& chain, std::size_t position) {
  std::vector<Value> out;
  for (std::size_t i = 0; i < position; ++i)
    for (const Value value : reducing::definitions(chain.statements[i]))
      if (value != dropped) out.push_back(value);
  return out;
}

Argument draw_argument(const Param& param, const std::vector<Value>& values, Choices& choices) {
  const auto small = [&] { return static_cast<double>(choices.between(-1, 3)); };
  const auto tensor = [&] { return Ref{values[choices.below(values.size())]}; };
  if (param.optional && choices.chance(60)) return param.preset;
  if (!param.choices.empty()) return param.choices[choices.below(param.choices.size())];
  switch (param.kind) {
    case Kind::tensor: return tensor();
    case Kind::tensor_or_number:
      if (choices.chance(60)) return tensor();
      return small() / 2;
    case Kind::tensors: {
      std::vector<Ref> list;
      for (std::size_t k = choices.below(3) + 1; k > 0; --k) list.push_back(tensor());
      return list;
    }
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

/// Casts only where types mix already: a chain of one floating type stays one.
const std::vector<const Op*>& drawn_ops(const Chain& chain) {
  static const std::vector<const Op*> no_casts = [] {
    std::vector<const Op*> list = all_ops();
    std::erase_if(list, [](const Op* op) { return op->mixing == Mixing::named; });
    return list;
  }();
  return types_of(chain).size() > 1 ? all_ops() : no_casts;
}

Step draw_step(Chain& chain, const std::vector<Value>& values, Choices& choices) {
  const auto& ops = drawn_ops(chain);
  Step step{.op = ops[choices.below(ops.size())]};
  for (const Param& param : step.op->params) step.args.push_back(draw_argument(param, values, choices));
  const bool out_of_place = step.op->pure || step.op->pure_many;
  step.inplace = step.op->inplace && (!out_of_place || choices.chance(50));
  if (!step.inplace)
    for (std::size_t k = step.op->pure_many ? choices.below(3) + 1 : 1; k > 0; --k)
      step.results.push_back(reducing::new_value(chain));
  return step;
}

Backward draw_backward(const std::vector<Value>& values, Choices& choices) {
  Backward backward{.roots = {values[choices.below(values.size())]}};
  const Value second = values[choices.below(values.size())];
  if (choices.chance(30) && second != backward.roots[0]) backward.roots.push_back(second);
  if (choices.chance(85)) backward.cotangent = Spec{.seed = choices.below(100)};
  backward.retain_graph = choices.chance(50);
  return backward;
}

void insert(Chain& chain, std::size_t position, Statement statement) {
  chain.statements.insert(chain.statements.begin() + static_cast<std::ptrdiff_t>(position), std::move(statement));
}

std::size_t some_place(const Chain& chain, Choices& choices) {
  std::size_t first = 0;
  while (first < chain.statements.size() && std::holds_alternative<Input>(chain.statements[first])) ++first;
  return first + choices.below(chain.statements.size() - first + 1);
}

bool insert_step(Chain& chain, Choices& choices) {
  const std::size_t position = some_place(chain, choices);
  const auto values = defined_before(chain, position);
  if (values.empty()) return false;
  Step step = draw_step(chain, values, choices);
  insert(chain, position, std::move(step));
  return true;
}

/// The same step once more, later: another write of one tensor, a second node that saves it.
bool repeat_step(Chain& chain, Choices& choices) {
  const auto at = some<Step>(chain, choices);
  if (!at) return false;
  Step step = std::get<Step>(chain.statements[*at]);
  for (Value& result : step.results)
    if (result != dropped) result = reducing::new_value(chain);
  insert(chain, *at + 1 + choices.below(chain.statements.size() - *at), std::move(step));
  return true;
}

/// Another op over the same tensors; in place if the step was.
bool replace_op(Chain& chain, Choices& choices) {
  const auto at = some<Step>(chain, choices);
  if (!at) return false;
  Step& step = std::get<Step>(chain.statements[*at]);
  std::vector<Value> operands;
  for_each_ref(step, [&](Value& value) { operands.push_back(value); });
  if (operands.empty()) return false;
  const auto& ops = drawn_ops(chain);
  const Op& op = *ops[choices.below(ops.size())];
  if (step.inplace ? !op.inplace : !(op.pure || (op.pure_many && step.results.size() > 1))) return false;
  const auto values = defined_before(chain, *at);
  Step other{.op = &op, .inplace = step.inplace, .results = step.results};
  std::size_t used = 0;
  for (const Param& param : op.params)
    if (takes_tensor(param.kind) && !param.optional && param.kind != Kind::tensors && used < operands.size())
      other.args.emplace_back(Ref{operands[used++]});
    else
      other.args.push_back(draw_argument(param, values, choices));
  if (op.pure && other.results.size() > 1) return false;
  step = std::move(other);
  return reducing::mend(chain);
}

bool toggle_inplace(Chain& chain, Choices& choices) {
  const auto at = some<Step>(chain, choices);
  if (!at) return false;
  Step& step = std::get<Step>(chain.statements[*at]);
  if (!step.op->inplace || !step.op->pure) return false;
  const auto* target = std::get_if<Ref>(&step.args[0]);
  if (!target) return false;
  if (!step.inplace) {  // later uses of the result become uses of the target
    const Value result = step.results[0], written = target->value;
    step.inplace = true;
    step.results.clear();
    reducing::substitute(chain, *at + 1, result, written);
    return true;
  }
  step.inplace = false;
  const Value result = reducing::new_value(chain), source = target->value;
  std::get<Step>(chain.statements[*at]).results = {result};
  if (choices.chance(50)) reducing::substitute(chain, *at + 1, source, result);
  return true;
}

bool rewire(Chain& chain, Choices& choices) {
  const auto at = some<Step>(chain, choices);
  if (!at) return false;
  const auto values = defined_before(chain, *at);
  std::vector<Value*> operands;
  for_each_ref(std::get<Step>(chain.statements[*at]), [&](Value& value) { operands.push_back(&value); });
  if (operands.empty()) return false;
  *operands[choices.below(operands.size())] = values[choices.below(values.size())];
  return reducing::mend(chain);
}

bool change_attribute(Chain& chain, Choices& choices) {
  const auto at = some<Step>(chain, choices);
  if (!at) return false;
  const auto values = defined_before(chain, *at);
  Step& step = std::get<Step>(chain.statements[*at]);
  std::vector<std::size_t> attributes;
  for (std::size_t i = 0; i < step.args.size(); ++i)
    if (!std::holds_alternative<Ref>(step.args[i])) attributes.push_back(i);
  if (attributes.empty()) return false;
  const std::size_t which = attributes[choices.below(attributes.size())];
  step.args[which] = draw_argument(step.op->params[which], values, choices);
  return true;
}

bool change_input(Chain& chain, Choices& choices) {
  const auto at = some<Input>(chain, choices);
  if (!at) return false;
  Input& input = std::get<Input>(chain.statements[*at]);
  const bool listed = input.values.kind == Spec::Kind::list;
  switch (choices.below(6)) {
    case 0: input.requires_grad = !input.requires_grad && is_floating(input.dtype); break;
    case 1: input.values = {.kind = Spec::Kind::uniform, .seed = choices.below(1000), .lo = 0.5, .hi = 2}; break;
    case 2:
      input.values = {.kind = choices.chance(80) ? Spec::Kind::normal : Spec::Kind::edges, .seed = choices.below(1000)};
      break;
    case 3:  // transposed
      if (input.shape.size() < 2 || listed) return false;
      input.strides = Shape(input.shape.size(), 1);
      for (std::size_t d = 1; d < input.shape.size(); ++d)
        (*input.strides)[d] = (*input.strides)[d - 1] * std::max<std::int64_t>(input.shape[d - 1], 1);
      break;
    case 4:
      if (listed) return false;
      input.offset = choices.between(0, 2);
      break;
    default:
      if (input.shape.empty() || listed || input.strides) return false;
      input.shape[choices.below(input.shape.size())] = choices.between(0, 5);
      return reducing::mend(chain);
  }
  return true;
}

}  // namespace gradsmith::mutating
