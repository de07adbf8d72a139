// The autograd functions behind planted ops.
#include <ATen/ExpandUtils.h>
#include <torch/csrc/autograd/VariableTypeUtils.h>
#include <torch/csrc/autograd/custom_function.h>

#include "properties/planted_ops.hpp"

namespace gradsmith::plant {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

template <class Rule>
std::int64_t stored(const Rule& rule) {
  return reinterpret_cast<std::int64_t>(&rule);
}
template <class Rule>
const Rule& loaded(AutogradContext* context) {
  return *reinterpret_cast<const Rule*>(context->saved_data["rule"].toInt());
}

struct UnaryFunction : torch::autograd::Function<UnaryFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const Unary* rule) {
    context->saved_data["rule"] = stored(*rule);
    const at::Tensor y = rule->value(x);
    switch (rule->keeps) {
      case Keeps::nothing:
        break;
      case Keeps::operand:
        context->save_for_backward({x});
        break;
      case Keeps::result:
        context->save_for_backward({y});
        break;
      case Keeps::both:
        context->save_for_backward({y, x});
        break;
      case Keeps::copy_of_operand:
        context->save_for_backward({x.clone()});
        break;
      case Keeps::copy_of_result:
        context->save_for_backward({y.clone()});
        break;
    }
    return y;
  }
  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const auto& rule = loaded<Unary>(context);
    at::Tensor kept;
    if (rule.keeps != Keeps::nothing) kept = context->get_saved_variables()[0];
    at::Tensor grad = rule.gradient(grads[0], kept);
    const auto runs = context->saved_data.count("runs") ? context->saved_data["runs"].toInt() + 1 : 1;
    context->saved_data["runs"] = runs;
    if (rule.changes_from > 0 && runs >= rule.changes_from) grad = grad * 100;
    return {grad, {}};
  }
};

/// Which operands a node keeps. As in LibTorch's own functions, only what some gradient needs: one that flows
/// somewhere.
struct Kept {
  bool x = false, y = false;
};
bool flows(const at::Tensor& t) { return t.requires_grad() && torch::autograd::impl::gradient_edge(t).is_valid(); }
Kept kept_of(const Binary& rule, const at::Tensor& x, const at::Tensor& y) {
  if (!at::GradMode::is_enabled() || !(x.requires_grad() || y.requires_grad())) return {};
  const bool to_x = flows(x), to_y = flows(y);
  const Kept kept{rule.keeps_all || to_y, rule.keeps_all || to_x};
  // Inference tensors are refused before the kernel runs.
  if (kept.x) torch::autograd::SavedVariable(x, false);
  if (kept.y) torch::autograd::SavedVariable(y, false);
  return kept;
}

struct BinaryFunction : torch::autograd::Function<BinaryFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& y, const Binary* rule,
                            const Kept* kept) {
    context->saved_data["rule"] = stored(*rule);
    context->saved_data["x"] = x.sizes().vec();
    context->saved_data["y"] = y.sizes().vec();
    const at::Tensor none;
    context->saved_data["keeps"] = kept->x || kept->y;
    // In the order of their names, `other` before `self`: so they are unpacked, as in LibTorch's own nodes.
    context->save_for_backward({kept->y ? y : none, kept->x ? x : none});
    return rule->value(x, y);
  }
  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const auto& rule = loaded<Binary>(context);
    variable_list kept(2);
    if (context->saved_data["keeps"].toBool()) kept = context->get_saved_variables();
    at::Tensor to_x, to_y;
    if (context->needs_input_grad(0))
      to_x = at::sum_to(rule.gradient_x(grads[0], kept[1], kept[0]), context->saved_data["x"].toIntVector());
    if (context->needs_input_grad(1))
      to_y = at::sum_to(rule.gradient_y(grads[0], kept[1], kept[0]), context->saved_data["y"].toIntVector());
    if (to_y.defined() && to_y.sizes() != grads[0].sizes()) to_y = to_y * rule.when_broadcast;
    return {to_x, to_y, {}, {}};
  }
};

}  // namespace

at::Tensor call(const Unary& rule, const at::Tensor& x) { return UnaryFunction::apply(x, &rule); }

void call_inplace(const Unary& rule, at::Tensor& x) {
  torch::autograd::check_inplace(x, at::GradMode::is_enabled() && x.requires_grad());
  x.copy_(UnaryFunction::apply(x, &rule));
}

at::Tensor call(const Binary& rule, const at::Tensor& x, const at::Tensor& y) {
  const Kept kept = kept_of(rule, x, y);
  return BinaryFunction::apply(x, y, &rule, &kept);
}

void double_unseen(at::Tensor& x) {
  const auto before = x._version();
  x.mul_(2.0);
  auto counter = x.unsafeGetTensorImpl()->version_counter();
  counter.set_version(before);
}

}  // namespace gradsmith::plant
