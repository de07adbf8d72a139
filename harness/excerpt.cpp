#include "harness/excerpt.hpp"

#include <algorithm>

namespace gradsmith {

Chain beginning(const Chain& chain, std::size_t statement) {
  Chain out{.names = chain.names};
  int open = 0;
  for (std::size_t i = 0; i <= statement; ++i) {
    out.statements.push_back(chain.statements[i]);
    open += std::holds_alternative<RegionBegin>(chain.statements[i]);
    open -= std::holds_alternative<RegionEnd>(chain.statements[i]);
  }
  for (; open > 0; --open) out.statements.push_back(RegionEnd{});
  return out;
}

int number_of_step(const Chain& chain, std::size_t statement) {
  return static_cast<int>(std::count_if(chain.statements.begin(),
                                        chain.statements.begin() + static_cast<std::ptrdiff_t>(statement) + 1,
                                        [](const Statement& one) { return std::holds_alternative<Step>(one); }));
}

Chain plain_step(const Step& step, const TypedStep& typed, bool inplace, bool graded) {
  Chain out;
  const auto name = [&](std::string text) {
    out.names.push_back(std::move(text));
    return static_cast<Value>(out.names.size() - 1);
  };
  Step alone{.op = step.op, .inplace = inplace, .args = step.args};
  for (std::size_t i = 0; i < step.args.size(); ++i) {
    if (!std::holds_alternative<Ref>(step.args[i])) continue;
    const TensorInfo& info = typed.operands[i];
    const bool floating = is_floating(info.dtype);
    Input input{.name = name("a" + std::to_string(i)), .dtype = info.dtype, .shape = info.layout.shape};
    input.requires_grad = graded && floating && step.op->params[i].differentiable;
    input.values.kind = Spec::Kind::list;
    input.values.list.assign(static_cast<std::size_t>(element_count(input.shape)), floating ? 0.5 : 1.0);
    alone.args[i] = Ref{input.name};
    out.statements.push_back(std::move(input));
  }
  if (inplace) {
    Step copy{.op = find_op("clone"), .args = {alone.args[0]}, .results = {name("h")}};
    alone.args[0] = Ref{copy.results[0]};
    out.statements.push_back(std::move(copy));
  } else {
    const std::size_t results = step.inplace ? 1 : step.results.size();
    for (std::size_t k = 0; k < results; ++k) alone.results.push_back(name("v" + std::to_string(k)));
  }
  out.statements.push_back(std::move(alone));
  return out;
}

}  // namespace gradsmith
