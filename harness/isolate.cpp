// One step of a chain alone, so that a finding can be laid at the door of a single op.
#include <algorithm>

#include "harness/guilt.hpp"
#include "harness/layout.hpp"
#include "harness/op.hpp"
#include "harness/reference.hpp"

namespace gradsmith {

std::optional<Chain> isolate(const Chain& chain, const Typed& typed, std::size_t statement) {
  const Step& step = std::get<Step>(chain.statements[statement]);
  if (step.op->alias != Alias::none) return std::nullopt;
  const DType dtype = floating_type(chain);
  Evaluator evaluator(0, dtype);
  for (std::size_t i = 0; i < statement; ++i) {
    evaluator.add(chain.statements[i], typed);
    if (const auto* backward = std::get_if<Backward>(&chain.statements[i]))
      for (const Value value : backward->results)  // any numbers do: the op is judged on what it is given
        if (value != dropped)
          evaluator.bind(value, std::vector<Lanes>(static_cast<std::size_t>(element_count(typed.values[value].layout.shape)), 0.5));
  }
  Chain out;
  Step alone = step;
  std::vector<std::pair<Value, Value>> renamed;  // one input per tensor object
  for (std::size_t i = 0; i < step.args.size(); ++i) {
    if (std::holds_alternative<std::vector<Ref>>(step.args[i])) return std::nullopt;
    const auto* ref = std::get_if<Ref>(&step.args[i]);
    if (!ref) continue;
    const Value object = typed.object[ref->value];
    const auto known = std::find_if(renamed.begin(), renamed.end(), [&](auto& r) { return r.first == object; });
    if (known != renamed.end()) {
      alone.args[i] = Ref{known->second};
      continue;
    }
    const TensorInfo& info = typed.steps[statement].operands[i];
    Input input{.name = static_cast<Value>(out.names.size()), .dtype = info.dtype, .shape = info.layout.shape};
    input.requires_grad = is_floating(info.dtype) && step.op->params[i].differentiable;
    if (!(info.layout == contiguous_layout(info.layout.shape))) {
      input.strides = info.layout.strides;
      input.offset = info.layout.offset;
    }
    input.values.kind = Spec::Kind::list;
    for (const Var& v : evaluator.read(ref->value)) input.values.list.push_back(v.exact());
    out.names.push_back("a" + std::to_string(i));
    out.statements.push_back(input);
    renamed.emplace_back(object, input.name);
    alone.args[i] = Ref{input.name};
  }
  if (renamed.empty()) return std::nullopt;
  const Layout& target = typed.steps[statement].operands[0].layout;
  if (step.inplace && (is_dense(target) || !step.op->pure)) {  // a leaf must not be written: write a copy of it
    Step copy{.op = find_op("clone"), .args = {alone.args[0]}, .results = {static_cast<Value>(out.names.size())}};
    out.names.push_back("h");
    alone.args[0] = Ref{copy.results[0]};
    out.statements.push_back(std::move(copy));
  } else {
    alone.inplace = false;
    alone.results = {static_cast<Value>(out.names.size())};
    out.names.push_back("v");
  }
  out.statements.push_back(std::move(alone));
  return out;
}

}  // namespace gradsmith
