#include "harness/promotion.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gradsmith {
namespace {

/// i64 and bool tensors may be moved about, and join floating ones in add, sub and mul.
void promote_integers(const Call& call, bool floating, Promotion& out) {
  const auto name = call.op->name;
  const bool movable =
      call.op->alias != Alias::none || name == "clone" || name == "copy" || name == "fill" || name == "zero";
  const bool boolean = std::any_of(call.tensors.begin(), call.tensors.end(),
                                   [](const TensorInfo* t) { return t && t->dtype == DType::boolean; });
  if (name == "sub" && boolean) {
    out.invalid = "sub takes no bool tensor";
  } else if (movable && call.op->mixing != Mixing::named) {
    out.computes = out.stores = call.tensors[0]->dtype;
  } else if (floating && (name == "add" || name == "sub" || name == "mul")) {
    if (call.inplace && !is_floating(call.tensors[0]->dtype)) out.refusal = "E20";
  } else {
    out.invalid = fmt::format("{} takes floating tensors here, not i64 or bool", name);
  }
}

/// A matrix without elements times a vector: addmv reads neither, and makes its result like the vector.
bool reads_no_matrix(const Call& call) {
  return call.op->name == "matmul" && call.rank(0) == 2 && call.rank(1) == 1 && element_count(call.shape(0)) == 0;
}

/// Only the weight of lerp is of another type, and has no dimensions: it is promoted as elsewhere.
bool scalar_weight(const Call& call) {
  return call.op->name == "lerp" && call.tensors[0]->dtype == call.tensors[1]->dtype && call.rank(2) == 0;
}

}  // namespace

DType promoted(DType a, DType b) {
  if (a == b) return a;
  if (a == DType::f64 || b == DType::f64) return DType::f64;
  return DType::f32;
}

void ResultType::add(const TensorInfo& tensor) {
  const bool scalar = tensor.layout.shape.empty();
  DType& type = scalar ? scalar_ : dimensioned_;
  bool& has = scalar ? has_scalars_ : has_dimensions_;
  type = has ? promoted(type, tensor.dtype) : tensor.dtype;
  has = true;
}

Promotion promote(const Call& call) {
  Promotion out;
  ResultType result;
  bool floating = false, integer = false, mixed = false;
  DType first = DType::f64;
  for (std::size_t i = 0; i < call.tensors.size(); ++i) {
    const TensorInfo* t = call.tensors[i];
    const Param& param = call.op->params[i];
    if (!t) continue;
    if (!param.differentiable) {
      if (t->dtype != DType::boolean)
        out.invalid = fmt::format("{} of {} must be a bool tensor", param.name, call.op->name);
      continue;
    }
    if (!is_floating(t->dtype)) {
      integer = true;
      continue;
    }
    result.add(*t);
    mixed |= floating && t->dtype != first;
    if (!floating) first = t->dtype;
    floating = true;
  }
  out.computes = out.stores = result.type();
  if (!out.invalid.empty()) return out;
  if (integer) promote_integers(call, floating, out);
  if (!out.invalid.empty() || !out.refusal.empty()) return out;
  switch (call.op->mixing) {
    case Mixing::promotes:
      if (call.inplace) out.stores = call.tensors[0]->dtype;
      break;
    case Mixing::into_self:
      out.computes = out.stores = call.tensors[0]->dtype;
      break;
    case Mixing::named:
      out.computes = out.stores = call.args.dtype(1);
      if (!is_floating(out.stores)) out.invalid = fmt::format("{} takes a floating type here", call.op->name);
      break;
    case Mixing::refused:
    case Mixing::refused_first:
      if (!mixed) break;
      if (reads_no_matrix(call))
        out.computes = out.stores = call.tensors[1]->dtype;
      else if (!scalar_weight(call))
        out.refusal = "E41";
      else if (call.inplace)
        out.stores = call.tensors[0]->dtype;
      break;
  }
  return out;
}

DType gradient_type(const Op& op, const Args& args, const std::vector<TensorInfo>& operands, std::size_t i,
                    const TensorInfo& result_info) {
  if (op.name == "copy" && i == 1) return operands[1].dtype;  // cast before it is summed to the operand's shape
  ResultType type;
  type.add(result_info);
  for (const Save& row : op.saves) {
    if (op.passes_gradient || row.reads < 0 || (row.of != any && row.of != static_cast<int>(i)) ||
        (row.when && !row.when(args, operands)))
      continue;
    const auto reads = static_cast<std::size_t>(row.reads);
    if (args.is_tensor(reads) && op.params[reads].differentiable && is_floating(operands[reads].dtype))
      type.add(operands[reads]);
  }
  return type.type();
}

}  // namespace gradsmith
