#include "harness/footprint.hpp"

#include <algorithm>

namespace gradsmith {
namespace {

std::int64_t bytes_of(const Layout& layout) {
  return element_count(layout.shape) * static_cast<std::int64_t>(sizeof(double));
}

Call call_of(const Step& step, const TypedStep& typed) {
  Call call{step.op, step.inplace, Args(step.args), {}};
  for (std::size_t i = 0; i < step.args.size(); ++i)
    call.tensors.push_back(call.args.is_tensor(i) ? &typed.operands[i] : nullptr);
  return call;
}

}  // namespace

std::optional<Footprint> footprint(const Step& step, const TypedStep& typed, const Retained& kept) {
  const Args args(step.args);
  for (std::size_t i = 0; i < step.args.size(); ++i)
    if (args.is_tensor(i) && step.op->params[i].differentiable && typed.operands[i].dtype != DType::f64)
      return std::nullopt;
  Footprint out;
  if (!step.inplace) {
    for (const ResultInfo& result : typed.results) {
      if (result.view || result.same_object) return out;
      out.live += bytes_of(result.layout);
    }
  }
  if (kept.clone) out.live += bytes_of(typed.operands[0].layout);
  out.peak = out.live;
  if (step.op->memory) {
    const Extra extra = step.op->memory(call_of(step, typed), kept.recorded);
    out.live += extra.kept;
    out.peak += extra.most;
  }
  const auto nameless = [](Value result) { return result == dropped; };
  if (!step.inplace && std::all_of(step.results.begin(), step.results.end(), nameless))
    out.live = 0;  // the node goes with its result
  return out;
}

}  // namespace gradsmith
