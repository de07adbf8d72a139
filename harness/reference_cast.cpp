// Operands of mixed types in the reference: what a kernel reads of them, and what comes back to them.
#include "harness/promotion.hpp"
#include "harness/reference.hpp"

namespace gradsmith {

/// An operand of another type than the kernel's is cast, by nodes of its own: what comes back to them is a tensor of
/// the type in which its gradient is computed, before that is cast to the operand's.
void Evaluator::cast_operands(const Step& step, const TypedStep& typed) {
  const Op& op = *step.op;
  const Args args(step.args);
  Tape& tape = Tape::active();
  const TensorInfo result{typed.stores, step.inplace ? typed.operands[0].layout : typed.results[0].layout, -1};
  const auto casts = [&](std::size_t i) {
    return args.is_tensor(i) && op.params[i].differentiable && is_floating(typed.operands[i].dtype) &&
           is_floating(typed.computes);
  };
  for (std::size_t i = 0; i < op.params.size(); ++i) {
    if (!casts(i)) continue;
    const DType own = typed.operands[i].dtype;
    const DType gradient = gradient_type(op, args, typed.operands, i, result);
    if (own == typed.computes && own == gradient) continue;
    const DType read = typed.scalar_in_float && i == 1 ? promoted(typed.computes, DType::f32) : typed.computes;
    for (Var& v : in_[i]) {
      Noise::work_in(own, read);
      const Lanes value = stored(v.v);
      Noise::work_in(gradient, gradient);
      const int node = tape.push(value.exact(), v.node, 1.0);
      tape.keep(node);
      v = Var(value, node);
    }
  }
  Noise::work_in(typed.computes, typed.stores);
}

}  // namespace gradsmith
