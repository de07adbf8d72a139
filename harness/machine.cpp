#include "harness/machine.hpp"

#include <ATen/core/grad_mode.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/autograd/autograd.h>

#include "harness/under_way.hpp"
#include "harness/values.hpp"

namespace gradsmith {

at::ScalarType scalar_type(DType dtype) {
  switch (dtype) {
    case DType::f64: return at::kDouble;
    case DType::f32: return at::kFloat;
    case DType::bf16: return at::kBFloat16;
    case DType::f16: return at::kHalf;
    case DType::i64: return at::kLong;
    case DType::boolean: return at::kBool;
  }
  return at::kDouble;
}

namespace {

DType dtype_of(at::ScalarType type) {
  switch (type) {
    case at::kFloat: return DType::f32;
    case at::kBFloat16: return DType::bf16;
    case at::kHalf: return DType::f16;
    case at::kLong: return DType::i64;
    case at::kBool: return DType::boolean;
    default: return DType::f64;
  }
}

}  // namespace

at::Tensor make_tensor(DType dtype, const Shape& shape, const double* data) {
  at::Tensor wide = at::empty(shape, at::kDouble);
  std::copy(data, data + wide.numel(), wide.mutable_data_ptr<double>());
  if (dtype != DType::f64) wide = wide.to(scalar_type(dtype));
  return current_device().is_cpu() ? wide : wide.to(current_device(), /*non_blocking=*/true);
}

void lay_out(const at::Tensor& tensor, const Layout& layout) {
  tensor.unsafeGetTensorImpl()->set_sizes_and_strides(layout.shape, layout.strides, layout.offset);
}

at::Tensor make_input(const Input& input) {
  const auto data = input_storage(input);
  const at::Tensor tensor = make_tensor(input.dtype, {static_cast<std::int64_t>(data.size())}, data.data());
  lay_out(tensor, input_layout(input));
  tensor.set_requires_grad(input.requires_grad);
  return tensor;
}

Array read_array(const at::Tensor& tensor) {
  if (!tensor.is_cpu()) return read_arrays({tensor}).front();
  Array out;
  out.dtype = dtype_of(tensor.scalar_type());
  out.shape = tensor.sizes().vec();
  if (tensor._is_zerotensor()) {  // a zero of autograd's that has no memory
    out.data.assign(static_cast<std::size_t>(tensor.numel()), 0.0);
    return out;
  }
  if (tensor.scalar_type() == at::kDouble && tensor.is_contiguous()) {
    const double* data = static_cast<const double*>(tensor.const_data_ptr());
    out.data.assign(data, data + tensor.numel());
    return out;
  }
  if (tensor.scalar_type() == at::kDouble && tensor.storage_offset() >= 0 && tensor.numel() <= 4096) {
    const double* data = static_cast<const double*>(tensor.const_data_ptr());
    const auto positions = storage_positions({out.shape, tensor.strides().vec(), 0});
    out.data.reserve(positions.size());
    for (const auto p : positions) out.data.push_back(data[p]);
    return out;
  }
  at::NoGradGuard guard;
  const at::Tensor wide = tensor.detach().to(at::kDouble).contiguous();
  const double* data = static_cast<const double*>(wide.const_data_ptr());
  out.data.assign(data, data + wide.numel());
  return out;
}

std::vector<Array> read_arrays(const std::vector<at::Tensor>& tensors) {
  std::vector<Array> arrays;
  if (tensors.empty() || tensors.front().is_cpu()) {
    for (const at::Tensor& tensor : tensors) arrays.push_back(read_array(tensor));
    return arrays;
  }
  at::NoGradGuard guard;
  std::vector<at::Tensor> flat;
  for (const at::Tensor& tensor : tensors) flat.push_back(tensor.detach().to(at::kDouble).reshape({-1}));
  const at::Tensor all = at::cat(flat).cpu();
  const double* data = static_cast<const double*>(all.const_data_ptr());
  for (const at::Tensor& tensor : tensors) {
    Array& array = arrays.emplace_back(Array{dtype_of(tensor.scalar_type()), tensor.sizes().vec(), {}});
    array.data.assign(data, data + tensor.numel());
    data += tensor.numel();
  }
  return arrays;
}

Layout layout_of(const at::Tensor& tensor) {
  return {tensor.sizes().vec(), tensor.strides().vec(), tensor.storage_offset()};
}

struct Regions::Guards {
  std::optional<at::NoGradGuard> no_grad;
  std::optional<c10::InferenceMode> inference;
};

Regions::Regions() = default;
Regions::~Regions() { clear(); }

void Regions::open(RegionBegin::Kind kind) {
  open_.push_back(std::make_unique<Guards>());
  if (kind == RegionBegin::Kind::no_grad)
    open_.back()->no_grad.emplace();
  else
    open_.back()->inference.emplace();
}

void Regions::close() { open_.pop_back(); }

void Regions::clear() {
  while (!open_.empty()) open_.pop_back();
}

void Machine::load_arguments(const Step& step) {
  const Args args(step.args);
  arguments_.assign(step.op->params.size(), at::Tensor());
  for (std::size_t i = 0; i < arguments_.size(); ++i)
    if (args.is_tensor(i)) arguments_[i] = tensors_[args.tensor(i)];
}

at::Tensor Machine::take_functional(const Step& step) {
  load_arguments(step);
  const Args args(step.args);
  const Actuals actuals(args, arguments_);
  const UnderWay under_way(step);
  at::Tensor out = (step.op->pure ? step.op->pure : step.op->functional)(actuals);
  const at::ScalarType own = arguments_[0].scalar_type();
  if (out.scalar_type() != own) out = out.to(own);  // what was promoted, the target takes in its own type
  arguments_.clear();  // the target as it was may go
  return out;
}

namespace {
/// A number beyond its type: c10 throws no Error there.
template <class Call>
auto with_errors_of_c10(Call call) {
  try {
    return call();
  } catch (const std::runtime_error& error) {
    throw c10::Error(std::string(error.what()));
  }
}
}  // namespace

void Machine::step(const Step& step, bool batched) {
  with_errors_of_c10([&] { take(step, batched); });
}

at::Tensor Machine::functional(const Step& step) {
  return with_errors_of_c10([&] { return take_functional(step); });
}

void Machine::take(const Step& step, bool batched) {
  const Op& op = *step.op;
  const Args args(step.args);
  load_arguments(step);
  const Actuals actuals(args, arguments_, batched);
  const UnderWay under_way(step);
  if (step.inplace) {
    op.inplace(actuals);
  } else if (op.pure_many) {
    auto results = op.pure_many(actuals);
    for (std::size_t k = 0; k < step.results.size() && k < results.size(); ++k)
      if (step.results[k] != dropped) tensors_[step.results[k]] = std::move(results[k]);
  } else {
    at::Tensor result = (batched && op.batched ? op.batched : op.pure)(actuals);
    if (step.results[0] != dropped) tensors_[step.results[0]] = std::move(result);
  }
  arguments_.clear();
}

void Machine::backward(const Backward& statement, const std::vector<Value>& roots, std::vector<at::Tensor> cotangents) {
  std::vector<at::Tensor> outputs;
  outputs.reserve(roots.size());
  for (const Value root : roots) outputs.push_back(tensors_[root]);
  const bool retain = statement.retain_graph || statement.create_graph;
  if (!statement.wrt) {
    torch::autograd::backward(outputs, cotangents, retain, statement.create_graph);
    return;
  }
  std::vector<at::Tensor> inputs;
  for (const Value value : *statement.wrt) inputs.push_back(tensors_[value]);
  auto gradients = torch::autograd::grad(outputs, inputs, cotangents, retain, statement.create_graph);
  for (std::size_t k = 0; k < statement.results.size(); ++k)
    if (statement.results[k] != dropped) tensors_[statement.results[k]] = gradients[k].clone(at::MemoryFormat::Contiguous);
}

std::int64_t Machine::named_bytes() const {
  std::vector<const c10::StorageImpl*> storages;
  for (const at::Tensor& tensor : tensors_)
    if (tensor.defined()) storages.push_back(tensor.storage().unsafeGetStorageImpl());
  std::sort(storages.begin(), storages.end());
  storages.erase(std::unique(storages.begin(), storages.end()), storages.end());
  std::int64_t bytes = 0;
  for (const auto* storage : storages) bytes += static_cast<std::int64_t>(storage->nbytes());
  return bytes;
}

std::vector<at::Tensor> make_cotangents(Machine& machine, const Spec& spec, const std::vector<Value>& roots) {
  std::vector<Shape> shapes;
  std::vector<DType> types;
  for (const Value root : roots) {
    shapes.push_back(machine[root].sizes().vec());
    types.push_back(dtype_of(machine[root].scalar_type()));
  }
  const auto values = cotangent_values(spec, shapes, types);
  std::vector<at::Tensor> out;
  for (std::size_t r = 0; r < roots.size(); ++r) out.push_back(make_tensor(types[r], shapes[r], values[r].data()));
  return out;
}

}  // namespace gradsmith
