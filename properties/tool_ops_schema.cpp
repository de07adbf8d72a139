// Names and defaults of parameters against LibTorch's own schemas; operands that the table calls not differentiable.
#include <ATen/core/dispatch/Dispatcher.h>
#include <fmt/format.h>

#include <algorithm>

#include "harness/execute.hpp"
#include "properties/tool_ops_audits.hpp"

namespace gradsmith {
namespace {

bool same_default(const Argument& preset, const c10::IValue& real) {
  if (real.isNone()) return std::holds_alternative<None>(preset);
  if (const auto* flag = std::get_if<bool>(&preset)) return real.isBool() && real.toBool() == *flag;
  if (const auto* text = std::get_if<std::string>(&preset)) return real.isString() && real.toStringRef() == *text;
  if (const auto* number = std::get_if<double>(&preset)) {
    if (real.isIntList()) return real.toIntVector() == std::vector<std::int64_t>{static_cast<std::int64_t>(*number)};
    return real.isScalar() && real.toScalar().toDouble() == *number;
  }
  if (const auto* list = std::get_if<std::vector<double>>(&preset))
    return real.isIntList() && real.toIntVector() == std::vector<std::int64_t>(list->begin(), list->end());
  return false;
}

/// Every parameter stands in the schema, in order, and has its default where both have one.
bool fits(const Op& op, const c10::FunctionSchema& schema) {
  std::size_t next = 0;
  for (const c10::Argument& argument : schema.arguments()) {
    if (next == op.params.size() || argument.name() != op.params[next].name) continue;
    const Param& param = op.params[next++];
    if (param.optional && argument.default_value() && !same_default(param.preset, *argument.default_value()))
      return false;
  }
  return next == op.params.size();
}

}  // namespace

Complaints audit_schema(const Op& op) {
  Complaints out;
  std::string seen;
  bool fitting = false;
  for (const c10::OperatorName& name : c10::Dispatcher::singleton().getAllOpNames()) {
    if (name.name != fmt::format("aten::{}", op.name) && name.name != fmt::format("aten::{}_", op.name)) continue;
    const auto handle = c10::Dispatcher::singleton().findSchema(name);
    if (!handle) continue;
    seen += fmt::format("\n{}", c10::toString(handle->schema()));
    fitting = fitting || fits(op, handle->schema());
  }
  if (!fitting && !(seen.empty() && !op.composite.empty()))
    out.push_back(fmt::format("no schema has the parameters of {}:{}", op.name, seen));
  // Where the table says that no gradient flows, LibTorch takes no floating tensor or gives it none.
  for (OpCase& one : cases_of(op, 20)) {
    const Args args(one.step().args);
    for (std::size_t i = 0; i < args.size(); ++i) {
      if (!args.is_tensor(i) || op.params[i].differentiable) continue;
      Chain chain = one.chain;
      auto& input = std::get<Input>(chain.statements[static_cast<std::size_t>(args.tensor(i))]);
      input.dtype = DType::f64;
      input.requires_grad = true;
      const Value root = one.step().inplace ? args.tensor(0) : one.step().results[0];
      const Outcome outcome = execute(chain, {root});
      if (!outcome.refusal && outcome.gradients[static_cast<std::size_t>(input.name)])
        out.push_back(complaint(fmt::format("{} gets a gradient", op.params[i].name), chain));
    }
  }
  return out;
}

}  // namespace gradsmith
