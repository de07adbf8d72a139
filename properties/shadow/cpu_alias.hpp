// Tensors of the device `shadow` seen as tensors of the CPU: the same memory, sizes, strides and sharing.
#pragma once

#include <ATen/ATen.h>

#include <map>

namespace gradsmith::shadow {

/// The device: LibTorch's PrivateUse1, number 0, under the name "shadow".
inline const at::Device device(at::kPrivateUse1, 0);

/// The aliases of one call. Tensors that share a storage have aliases that share one.
class Aliases {
 public:
  /// A CPU tensor over the memory of `tensor`; any tensor that is not of this device as it is.
  at::Tensor on_cpu(const at::Tensor& tensor);
  /// The way back: what `on_cpu` was given, a view of the same storage, or a copy in fresh memory.
  at::Tensor on_device(const at::Tensor& tensor) const;
  /// What the kernel resized is resized on the device too.
  void take_sizes() const;

 private:
  std::map<c10::StorageImpl*, c10::Storage> storages_{};
  struct Pair {
    at::Tensor alias, given;
  };
  std::map<c10::TensorImpl*, Pair> pairs_{};  // by the alias
};

}  // namespace gradsmith::shadow
