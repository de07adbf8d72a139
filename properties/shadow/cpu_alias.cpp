#include "properties/shadow/cpu_alias.hpp"

#include <c10/core/CPUAllocator.h>

#include <cstring>

namespace gradsmith::shadow {

at::Tensor Aliases::on_cpu(const at::Tensor& tensor) {
  if (!tensor.defined() || tensor.device() != device) return tensor;
  c10::StorageImpl* own = tensor.storage().unsafeGetStorageImpl();
  auto at = storages_.find(own);
  if (at == storages_.end())
    at = storages_
             .emplace(own, c10::Storage(c10::Storage::use_byte_size_t{}, own->nbytes(),
                                        c10::DataPtr(own->mutable_data(), at::kCPU),
                                        c10::GetCPUAllocator(), true))
             .first;
  at::Tensor alias = at::detail::make_tensor<c10::TensorImpl>(
      c10::Storage(at->second), c10::DispatchKeySet(c10::DispatchKey::CPU), tensor.dtype());
  c10::TensorImpl* impl = alias.unsafeGetTensorImpl();
  impl->set_sizes_and_strides(tensor.sizes(), tensor.strides(), tensor.storage_offset());
  if (tensor.unsafeGetTensorImpl()->is_wrapped_number()) impl->set_wrapped_number(true);
  pairs_[impl] = {alias, tensor};
  return alias;
}

at::Tensor Aliases::on_device(const at::Tensor& tensor) const {
  if (!tensor.defined() || !tensor.is_cpu()) return tensor;
  if (const auto same = pairs_.find(tensor.unsafeGetTensorImpl()); same != pairs_.end())
    return same->second.given;
  for (const auto& [impl, pair] : pairs_) {
    const at::Tensor& given = pair.given;
    if (!pair.alias.storage().is_alias_of(tensor.storage())) continue;
    at::Tensor view = at::detail::make_tensor<c10::TensorImpl>(c10::TensorImpl::VIEW, c10::Storage(given.storage()),
                                                               given.key_set(), tensor.dtype());
    view.unsafeGetTensorImpl()->set_sizes_and_strides(tensor.sizes(), tensor.strides(), tensor.storage_offset());
    return view;
  }
  at::Tensor fresh = at::empty_strided(tensor.sizes(), tensor.strides(), tensor.options().device(device));
  Aliases().on_cpu(fresh).copy_(tensor);
  return fresh;
}

void Aliases::take_sizes() const {
  for (const auto& [own, storage] : storages_) {
    if (storage.nbytes() == own->nbytes()) continue;
    c10::DataPtr data = own->allocator()->allocate(storage.nbytes());
    if (storage.nbytes() > 0) std::memcpy(data.mutable_get(), storage.data(), storage.nbytes());
    own->set_data_ptr_noswap(std::move(data));
    own->set_nbytes(storage.nbytes());
  }
  for (const auto& [impl, pair] : pairs_)
    if (impl->sizes() != pair.given.sizes() || impl->strides() != pair.given.strides())
      pair.given.unsafeGetTensorImpl()->set_sizes_and_strides(impl->sizes(), impl->strides(), impl->storage_offset());
}

}  // namespace gradsmith::shadow
