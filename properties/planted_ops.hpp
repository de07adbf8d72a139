// How planted ops are built: autograd functions from a value and a gradient, and the list of families. Includes
// LibTorch: for properties/planted*.cpp alone.
#pragma once

#include "harness/actuals.hpp"
#include "harness/ops/family.hpp"

namespace gradsmith::plant {

/// What a node keeps for backward. A copy is out of reach of every write.
enum class Keeps { nothing, operand, result, both, copy_of_operand, copy_of_result };

/// An op of one tensor. `gradient(grad, kept)`; `kept` is undefined where nothing is kept, the result where both are.
struct Unary {
  at::Tensor (*value)(const at::Tensor&);
  at::Tensor (*gradient)(const at::Tensor& grad, const at::Tensor& kept);
  Keeps keeps = Keeps::operand;
  int changes_from = 0;  ///< the backward of that number through one node, and later ones, give 100 times the gradient
};
at::Tensor call(const Unary& rule, const at::Tensor& x);
/// In place: the value is computed out of place from a kept copy, then copied over; checks and history are those of
/// copy_.
void call_inplace(const Unary& rule, at::Tensor& x);

/// An op of two tensors that keeps one operand for the gradient of the other. Gradients are summed to the operands'
/// sizes.
struct Binary {
  at::Tensor (*value)(const at::Tensor&, const at::Tensor&);
  at::Tensor (*gradient_x)(const at::Tensor& grad, const at::Tensor& x, const at::Tensor& y);
  at::Tensor (*gradient_y)(const at::Tensor& grad, const at::Tensor& x, const at::Tensor& y);
  bool keeps_all = false;     ///< x and y are kept whatever is asked for
  double when_broadcast = 1;  ///< scales the gradient of y where it is summed
};
at::Tensor call(const Binary& rule, const at::Tensor& x, const at::Tensor& y);

constexpr int self = 0, other = 1;

/// Right values and gradients, for rules that are wrong elsewhere.
inline at::Tensor exp_value(const at::Tensor& x) { return x.exp(); }
inline at::Tensor exp_gradient(const at::Tensor& grad, const at::Tensor& result) { return grad * result; }
inline at::Tensor sin_value(const at::Tensor& x) { return x.sin(); }
inline at::Tensor sin_gradient(const at::Tensor& grad, const at::Tensor& x) { return grad * x.cos(); }
inline at::Tensor mul_value(const at::Tensor& x, const at::Tensor& y) { return x.mul(y); }
inline at::Tensor mul_by_other(const at::Tensor& grad, const at::Tensor&, const at::Tensor& y) { return grad * y; }
inline at::Tensor mul_by_self(const at::Tensor& grad, const at::Tensor& x, const at::Tensor&) { return grad * x; }

/// 2x in place, with the version counter put back: what saved the tensor does not see the write. Not for inference tensors.
void double_unseen(at::Tensor& x);
/// sin; in forward mode its tangent is given by hand, times `factor`.
at::Tensor dual_sin(const at::Tensor& x, double factor);

/// E40: LibTorch's C++ functions have no forward mode.
inline std::string_view no_forward_mode(const Args&, bool) { return "E40"; }

/// Entries that state the truth about an op (schema, maths, domain, what is saved) around somebody's LibTorch calls.
using Pure = at::Tensor (*)(const Actuals&);
using Inplace = void (*)(const Actuals&);
Op exp_entry(std::string_view name, Pure pure);                             ///< keeps its result
Op sin_entry(std::string_view name, Pure pure, Inplace inplace = nullptr);  ///< keeps its operand
Op dual_sin_entry(std::string_view name, Pure pure);  ///< keeps its operand, and has a forward mode
Op relu_entry(std::string_view name, Pure pure);                            ///< keeps its result
Op sixth_entry(std::string_view name, Pure pure, Inplace inplace = nullptr);  ///< x / 6, keeps nothing
Op double_entry(std::string_view name, Inplace inplace);                    ///< 2x, keeps nothing; out of place it is right
Op mul_entry(std::string_view name, Pure pure);                             ///< keeps each operand for the other's gradient

std::vector<const Op*> gradients();  ///< wrong derivatives
std::vector<const Op*> values();     ///< wrong values, views and reductions
std::vector<const Op*> writes();     ///< wrong in-place forms, bookkeeping and checks
std::vector<const Op*> costs();      ///< hidden copies, slowness
std::vector<const Op*> modes();      ///< wrong in forward mode or in double backward alone
std::vector<const Op*> for_lanes();  ///< memory errors, drifts and leaks
std::vector<const Op*> for_sanitizers();  ///< what is wrong in compiled code of ours alone
std::vector<const Op*> deep();       ///< wrong only after three to seven steps on the same memory
std::vector<const Op*> for_types();  ///< wrong by 1 to 1024 ulp
std::vector<const Op*> for_mixed();  ///< wrong where operands have different types
std::vector<const Op*> right();      ///< the controls

}  // namespace gradsmith::plant
