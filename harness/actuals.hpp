// The tensors and attributes of one call, as LibTorch wants them. Includes LibTorch: only ops/*.cpp and those that drive
// LibTorch may include this.
#pragma once

#include <ATen/ATen.h>

#include "harness/op.hpp"

namespace gradsmith {

/// The arguments of one step with live tensors, read by parameter position.
class Actuals {
 public:
  /// `tensors` stands parallel to the op's parameters, undefined where no tensor is. `batched` tells that every tensor has
  /// one trailing dimension more than the chain says (see Op::batched).
  Actuals(const Args& args, std::vector<at::Tensor>& tensors, bool batched = false)
      : args_(args), tensors_(tensors), batched_(batched) {}

  at::Tensor& operator[](std::size_t i) const { return tensors_[i]; }
  bool is_tensor(std::size_t i) const { return tensors_[i].defined(); }
  bool is_none(std::size_t i) const { return args_.is_none(i); }
  at::Scalar number(std::size_t i) const { return args_[i]; }
  std::optional<at::Scalar> maybe_number(std::size_t i) const {
    return args_.is_none(i) ? std::nullopt : std::optional<at::Scalar>(args_[i]);
  }
  std::optional<at::Tensor> maybe_tensor(std::size_t i) const {
    return is_tensor(i) ? std::optional<at::Tensor>(tensors_[i]) : std::nullopt;
  }
  std::int64_t integer(std::size_t i) const { return args_.integer(i); }
  bool flag(std::size_t i) const { return args_.flag(i); }
  DType dtype(std::size_t i) const { return args_.dtype(i); }
  const std::string& text(std::size_t i) const { return args_.text(i); }
  std::vector<std::int64_t> integers(std::size_t i) const {
    const auto& list = args_.list(i);
    return {list.begin(), list.end()};
  }
  /// Rank of tensor i in the chain's terms (without the batch dimension).
  std::int64_t rank(std::size_t i) const { return tensors_[i].dim() - (batched_ ? 1 : 0); }
  /// A dimension of operand 0, wrapped to [0, rank) so that it means the same in a batched call.
  std::int64_t dim(std::size_t i) const { return wrap(args_.integer(i)); }
  /// A `dim` argument (None or []: all dimensions), wrapped. Of a 0-dim tensor: as given; in a batched call empty, and the
  /// op must not hand that on (LibTorch reads [] as all, the batch included).
  std::vector<std::int64_t> dims(std::size_t i) const;
  /// A size list; in a batched call the batch size stands last.
  std::vector<std::int64_t> sizes(std::size_t i) const;
  bool batched() const { return batched_; }

 private:
  std::int64_t wrap(std::int64_t d) const { return d < 0 ? d + std::max<std::int64_t>(rank(0), 1) : d; }
  const Args& args_;
  std::vector<at::Tensor>& tensors_;
  bool batched_;
};

}  // namespace gradsmith
