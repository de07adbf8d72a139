// Runs the statements of a chain on live LibTorch tensors: inputs, steps, regions, backward. Shared by the executor, the
// twin and the witness of differences. Includes LibTorch: only files that drive it may include this.
#pragma once

#include <ATen/ATen.h>

#include <optional>

#include "harness/actuals.hpp"
#include "harness/outcome.hpp"

namespace gradsmith {

/// LibTorch's element type.
at::ScalarType scalar_type(DType dtype);
/// Where inputs and cotangents are made (device.hpp): the CPU unless an OnDevice lives.
at::Device current_device();
/// Nothing if the current device is the CPU, or can go on after this error. EnvironmentError if it has no memory left,
/// DeviceLost (device_lost.hpp) if it answers no more.
void check_device_lives(const c10::Error& error);
/// A tensor of this dtype and shape on the current device, row-major contiguous, with these elements.
at::Tensor make_tensor(DType dtype, const Shape& shape, const double* data);
/// Gives a tensor that nothing else shares another layout in its storage, without a view or a node of autograd's.
void lay_out(const at::Tensor& tensor, const Layout& layout);
/// The input of a chain: its own strides and offset, no view of anything, `requires_grad` as stated.
at::Tensor make_input(const Input& input);
/// The elements of a tensor, wherever it lies, as an array.
Array read_array(const at::Tensor& tensor);
/// The same of several tensors of one device, with one copy for all.
std::vector<Array> read_arrays(const std::vector<at::Tensor>& tensors);
/// Layout of a live tensor.
Layout layout_of(const at::Tensor& tensor);

/// `no_grad { }` and `inference { }` as guards on a stack.
class Regions {
 public:
  Regions();
  ~Regions();
  void open(RegionBegin::Kind kind);
  void close();
  /// Closes whatever a refusal left open.
  void clear();

 private:
  struct Guards;
  std::vector<std::unique_ptr<Guards>> open_;
};

/// Live tensors by name, and the arguments of the step at hand.
class Machine {
 public:
  explicit Machine(std::size_t names) : tensors_(names) {}
  at::Tensor& operator[](Value value) { return tensors_[value]; }
  /// Runs one step. Throws what LibTorch throws, as c10::Error.
  void step(const Step& step, bool batched = false);
  /// What an in-place step would leave in its target, computed out of place. Nothing is written. Throws as step.
  at::Tensor functional(const Step& step);
  /// `torch::autograd::backward` or `grad` of one statement over these roots and cotangents (empty: none given).
  void backward(const Backward& statement, const std::vector<Value>& roots, std::vector<at::Tensor> cotangents);
  std::vector<at::Tensor>& tensors() { return tensors_; }
  /// Bytes of the storages that the names hold, each storage once.
  std::int64_t named_bytes() const;

 private:
  void load_arguments(const Step& step);
  void take(const Step& step, bool batched);
  at::Tensor take_functional(const Step& step);
  std::vector<at::Tensor> tensors_, arguments_;
};

/// Cotangent tensors for these roots (shapes and dtypes taken from the live tensors).
std::vector<at::Tensor> make_cotangents(Machine& machine, const Spec& spec, const std::vector<Value>& roots);


}  // namespace gradsmith
