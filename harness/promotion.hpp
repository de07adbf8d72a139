// Which element type a step computes in and which it leaves, as at::result_type has it, and which mixtures LibTorch
// refuses. Knows ops and the types of their operands; no LibTorch.
#pragma once

#include <string>
#include <string_view>

#include "harness/op.hpp"

namespace gradsmith {

/// The floating type that holds the numbers of both: the wider one, f32 of bf16 and f16.
DType promoted(DType a, DType b);

/// The type of what floating tensors make together: tensors with dimensions decide; those without, where there are no
/// others.
class ResultType {
 public:
  void add(const TensorInfo& tensor);
  /// f64 before anything was added.
  DType type() const { return has_dimensions_ ? dimensioned_ : has_scalars_ ? scalar_ : DType::f64; }

 private:
  DType dimensioned_ = DType::f64, scalar_ = DType::f64;
  bool has_dimensions_ = false, has_scalars_ = false;
};

/// What one step does with the types of its operands, or a refusal (E20, E41), or why it is no program.
struct Promotion {
  DType computes = DType::f64;  ///< operands are cast to it
  DType stores = DType::f64;    ///< type of the results, or of the target
  std::string_view refusal{};
  std::string invalid{};
};
Promotion promote(const Call& call);

/// The type in which the gradient of operand `i` is computed, before it is cast to the operand's: that of the tensors
/// which its formula reads, and of what arrives.
DType gradient_type(const Op& op, const Args& args, const std::vector<TensorInfo>& operands, std::size_t i,
                    const TensorInfo& result);

}  // namespace gradsmith
