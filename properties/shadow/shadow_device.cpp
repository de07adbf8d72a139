// The device `shadow`: LibTorch's PrivateUse1 over CPU memory, as a library for `--device shadow --load`. It goes the whole way
// of a device (dispatch, allocation, copies, the engine's device thread) and computes with the CPU's kernels, so that all
// of the device witness but a GPU can be tested anywhere.
#include <ATen/EmptyTensor.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>

#include <cstdlib>

#include "properties/shadow/cpu_alias.hpp"

namespace gradsmith::shadow {
namespace {

constexpr c10::DispatchKeySet keys(c10::DispatchKey::PrivateUse1);

struct Memory final : c10::Allocator {
  c10::DataPtr allocate(std::size_t bytes) override {
    void* data = bytes > 0 ? std::aligned_alloc(64, (bytes + 63) / 64 * 64) : nullptr;
    return {data, data, &std::free, device};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &std::free; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override { default_copy_data(to, from, bytes); }
};
Memory memory;
REGISTER_ALLOCATOR(c10::DeviceType::PrivateUse1, &memory)

bool is_lost = false;
[[noreturn]] void throw_lost() {
  throw c10::AcceleratorError({__func__, __FILE__, __LINE__}, 700, "shadow error: an illegal memory access was encountered");
}

c10::Stream stream() { return c10::Stream(c10::Stream::DEFAULT, device); }

/// One device, one stream, everything done at once.
struct Guard final : c10::impl::NoOpDeviceGuardImpl<c10::DeviceType::PrivateUse1> {
  c10::Device exchangeDevice(c10::Device) const override { return device; }
  c10::Device getDevice() const override { return device; }
  c10::Stream getStream(c10::Device) const noexcept override { return stream(); }
  c10::Stream getNewStream(c10::Device, int) const override { return stream(); }
  c10::Stream exchangeStream(c10::Stream) const noexcept override { return stream(); }
  void record(void**, const c10::Stream&, c10::DeviceIndex, c10::EventFlag) const override {}
  void block(void*, const c10::Stream&) const override {}
  bool queryEvent(void*) const override { return true; }
  void synchronizeEvent(void*) const override {}
  void synchronizeDevice(c10::DeviceIndex) const override {
    if (is_lost) throw_lost();
  }
};
C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard)

struct Hooks final : at::PrivateUse1HooksInterface {
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  c10::DeviceIndex deviceCount() const override { return 1; }
  c10::DeviceIndex getCurrentDevice() const override { return 0; }
  void setCurrentDevice(c10::DeviceIndex) const override {}
  c10::DeviceIndex exchangeDevice(c10::DeviceIndex) const override { return 0; }
  c10::DeviceIndex maybeExchangeDevice(c10::DeviceIndex) const override { return 0; }
};

[[maybe_unused]] const bool registered = [] {
  static Hooks hooks;
  c10::register_privateuse1_backend("shadow");
  at::RegisterPrivateUse1HooksInterface(&hooks);
  return true;
}();

at::Tensor empty(c10::IntArrayRef sizes, std::optional<at::ScalarType> dtype, std::optional<at::Layout>,
                 std::optional<at::Device>, std::optional<bool>, std::optional<at::MemoryFormat> format) {
  return at::detail::empty_generic(sizes, &memory, keys, dtype.value_or(at::kFloat), format);
}

at::Tensor empty_strided(c10::IntArrayRef sizes, c10::IntArrayRef strides, std::optional<at::ScalarType> dtype,
                         std::optional<at::Layout>, std::optional<at::Device>, std::optional<bool>) {
  return at::detail::empty_strided_generic(sizes, strides, &memory, keys, dtype.value_or(at::kFloat));
}

at::Tensor copy_from(const at::Tensor& from, const at::Tensor& to, bool) {
  if (is_lost) throw_lost();
  const at::AutoDispatchBelowADInplaceOrView below;
  Aliases aliases;
  aliases.on_cpu(to).copy_(aliases.on_cpu(from));
  return to;
}

/// Runs an op's CPU kernel on the memory of this device.
void on_cpu(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  if (is_lost) throw_lost();
  const at::AutoDispatchBelowADInplaceOrView below;
  Aliases aliases;
  const auto arguments = stack->end() - static_cast<std::ptrdiff_t>(op.schema().arguments().size());
  for (auto value = arguments; value != stack->end(); ++value) {
    if (value->isTensor()) {
      *value = aliases.on_cpu(value->toTensor());
    } else if (value->isTensorList()) {
      std::vector<at::Tensor> list = value->toTensorVector();
      for (at::Tensor& tensor : list) tensor = aliases.on_cpu(tensor);
      *value = c10::List<at::Tensor>(list);
    } else if (value->isDevice()) {
      *value = at::Device(at::kCPU);
    }
  }
  op.redispatchBoxed(c10::DispatchKeySet(c10::DispatchKey::CPU), stack);
  aliases.take_sizes();
  const auto results = stack->end() - static_cast<std::ptrdiff_t>(op.schema().returns().size());
  for (auto value = results; value != stack->end(); ++value) {
    if (value->isTensor()) {
      *value = aliases.on_device(value->toTensor());
    } else if (value->isTensorList()) {
      std::vector<at::Tensor> list = value->toTensorVector();
      for (at::Tensor& tensor : list) tensor = aliases.on_device(tensor);
      *value = c10::List<at::Tensor>(list);
    }
  }
}

/// Keeps the operand's strides, as CUDA's kernel does and the CPU's does not.
std::tuple<at::Tensor, at::Tensor> log_sigmoid_forward(const at::Tensor& self) {
  const at::AutoDispatchBelowADInplaceOrView below;
  Aliases aliases;
  const at::Tensor x = aliases.on_cpu(self);
  const auto [value, buffer] = at::log_sigmoid_forward(x);
  return {aliases.on_device(at::empty_like(x).copy_(value)), aliases.on_device(buffer)};
}

TORCH_LIBRARY_IMPL(_, PrivateUse1, m) { m.fallback(torch::CppFunction::makeFromBoxedFunction<&on_cpu>()); }

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  m.impl("empty.memory_format", empty);
  m.impl("empty_strided", empty_strided);
  m.impl("_copy_from", copy_from);
  m.impl("log_sigmoid_forward", log_sigmoid_forward);
}

}  // namespace
}  // namespace gradsmith::shadow

/// From now on the device answers nothing in this process, like a GPU after an illegal access. For planted faults.
extern "C" void gradsmith_shadow_lose() { gradsmith::shadow::is_lost = true; }
