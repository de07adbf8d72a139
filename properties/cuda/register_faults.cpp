// Puts the wrong kernels of faults.cu in the place of LibTorch's own on CUDA, each for one op: a library for `--device cuda
// --load`. What must be found as what is in gpu_check.sh.
#include <ATen/ATen.h>
#include <ATen/DeviceAccelerator.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <torch/library.h>

#include "faults.hpp"

namespace {

using T = const at::Tensor&;
using Backward = void (*)(const double*, const double*, double*, long, void*);

void* stream_of(T tensor) { return at::accelerator::getCurrentStream(tensor.device().index()).native_handle(); }

/// Contiguous doubles, whatever came.
at::Tensor plain(T tensor) { return tensor.to(at::kDouble).contiguous(); }

at::Tensor backward(T grad, T kept, Backward launch) {
  const at::AutoDispatchBelowADInplaceOrView below;
  const at::Tensor g = plain(grad), k = plain(kept), out = at::zeros_like(k);
  launch(g.const_data_ptr<double>(), k.const_data_ptr<double>(), out.mutable_data_ptr<double>(), k.numel(), stream_of(k));
  return out.to(kept.scalar_type());
}

at::Tensor tanh_backward(T grad, T y) { return backward(grad, y, gradsmith_fault_one_block); }
at::Tensor sigmoid_backward(T grad, T y) { return backward(grad, y, gradsmith_fault_partial_warp); }
at::Tensor silu_backward(T grad, T x) { return backward(grad, x, gradsmith_fault_past_end); }
at::Tensor mish_backward(T grad, T x) { return backward(grad, x, gradsmith_fault_float); }

/// The cotangent's strides are ignored.
at::Tensor leaky_relu_backward(T grad, T x, const at::Scalar& slope, bool) {
  const at::AutoDispatchBelowADInplaceOrView below;
  const at::Tensor misread = grad.is_non_overlapping_and_dense() ? grad.as_strided({grad.numel()}, {1}).view(grad.sizes()) : grad;
  return at::where(x > 0, misread, misread * slope);
}

at::Tensor cosh(T x) {
  const at::AutoDispatchBelowADInplaceOrView below;
  const at::Tensor v = plain(x), out = at::zeros_like(v);
  gradsmith_fault_race(v.const_data_ptr<double>(), out.mutable_data_ptr<double>(), v.numel(), stream_of(v));
  return out.to(x.scalar_type());
}

at::Tensor sinh(T x) {
  const at::AutoDispatchBelowADInplaceOrView below;
  const at::Tensor v = plain(x), out = at::zeros_like(v);
  gradsmith_fault_other_stream(v.const_data_ptr<double>(), out.mutable_data_ptr<double>(), v.numel());
  return out.to(x.scalar_type());
}

at::Tensor hardswish(T x) {
  gradsmith_fault_illegal_address(stream_of(x));
  return at::zeros_like(x);
}

TORCH_LIBRARY_IMPL(aten, CUDA, m) {
  m.impl("tanh_backward", tanh_backward);
  m.impl("sigmoid_backward", sigmoid_backward);
  m.impl("silu_backward", silu_backward);
  m.impl("mish_backward", mish_backward);
  m.impl("leaky_relu_backward", leaky_relu_backward);
  m.impl("cosh", cosh);
  m.impl("sinh", sinh);
  m.impl("hardswish", hardswish);
}

}  // namespace
