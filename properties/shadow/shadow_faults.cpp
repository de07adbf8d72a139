// Kernels that are wrong on the device `shadow` alone, each for one op: what the device witness must see. Loaded after the
// device itself. The table of what each must be found as is in tool_device.cpp.
#include <ATen/core/LegacyTypeDispatch.h>
#include <torch/library.h>

#include <cmath>
#include <cstring>

#include "properties/shadow/cpu_alias.hpp"

extern "C" void gradsmith_shadow_lose();

namespace gradsmith::shadow {
namespace {

using T = const at::Tensor&;

/// A right kernel: the CPU's.
template <class Compute>
at::Tensor computed(Compute compute, std::initializer_list<at::Tensor> tensors) {
  const at::AutoDispatchBelowADInplaceOrView below;
  Aliases aliases;
  std::vector<at::Tensor> here;
  for (T tensor : tensors) here.push_back(aliases.on_cpu(tensor));
  return aliases.on_device(compute(here));
}

/// tanh: the gradient is wrong beyond the first 16 elements, as if a grid had one block.
at::Tensor tanh_backward(T grad, T y) {
  return computed(
      [](const std::vector<at::Tensor>& t) {
        at::Tensor out = at::tanh_backward(t[0], t[1]).contiguous();
        if (out.numel() > 16) out.view({-1}).slice(0, 16).zero_();
        return out;
      },
      {grad, y});
}

/// sigmoid: the value is computed in float.
at::Tensor sigmoid(T x) {
  return computed([](const std::vector<at::Tensor>& t) { return t[0].to(at::kFloat).sigmoid().to(t[0].scalar_type()); }, {x});
}

/// silu: the gradient that arrives is read as if it were contiguous.
at::Tensor silu_backward(T grad, T x) {
  return computed(
      [](const std::vector<at::Tensor>& t) {
        at::Tensor misread = at::empty_like(t[0], at::MemoryFormat::Contiguous);
        if (t[0].is_non_overlapping_and_dense() && t[0].scalar_type() == at::kDouble)
          std::memcpy(misread.mutable_data_ptr(), t[0].const_data_ptr(), misread.nbytes());
        else
          misread.copy_(t[0]);
        return at::silu_backward(misread, t[1]);
      },
      {grad, x});
}

/// mish: an error that the CPU does not raise.
at::Tensor mish(T) { TORCH_CHECK(false, "mish is not implemented on shadow"); }

/// neg_: does not look whether elements of its target share memory.
at::Tensor& neg_(at::Tensor& x) {
  const at::AutoDispatchBelowADInplaceOrView below;
  Aliases aliases;
  at::Tensor here = aliases.on_cpu(x);
  for (std::int64_t i = 0; i < here.dim(); ++i)
    if (here.stride(i) == 0) here = here.narrow(i, 0, std::min<std::int64_t>(here.size(i), 1));
  here.neg_();
  return x;
}

/// cosh: a race, as it looks from outside: every other call is wrong.
at::Tensor cosh(T x) {
  static int calls = 0;
  return computed([](const std::vector<at::Tensor>& t) { return ++calls % 2 ? t[0].cosh() : t[0].cosh() * 1.5; }, {x});
}

/// atan: in its last bits no two calls are alike, which a sum by atomics may be as well.
at::Tensor atan(T x) {
  static int calls = 0;
  return computed([](const std::vector<at::Tensor>& t) { return t[0].atan() * (1 + 0x1p-52 * (++calls % 2)); }, {x});
}

/// hardswish: reads where nothing is, after which the device answers no more.
at::Tensor hardswish(T x) {
  gradsmith_shadow_lose();
  return x + x;
}

/// expm1: there is no memory left.
at::Tensor expm1(T) {
  throw c10::OutOfMemoryError({__func__, __FILE__, __LINE__}, "shadow out of memory. Tried to allocate 80.00 GiB.");
}

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  m.impl("tanh_backward", tanh_backward);
  m.impl("sigmoid", sigmoid);
  m.impl("silu_backward", silu_backward);
  m.impl("mish", mish);
  m.impl("neg_", neg_);
  m.impl("cosh", cosh);
  m.impl("atan", atan);
  m.impl("hardswish", hardswish);
  m.impl("expm1", expm1);
}

}  // namespace
}  // namespace gradsmith::shadow
