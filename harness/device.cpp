#include "harness/device.hpp"

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/DeviceAccelerator.h>
#include <fmt/format.h>

#include <optional>

#include "harness/device_lost.hpp"
#include "harness/exits.hpp"
#include "harness/machine.hpp"

namespace gradsmith {
namespace {

thread_local at::Device current = at::kCPU;

std::optional<at::Device> parse_device(const std::string& text) {
  try {
    return at::Device(text);
  } catch (const c10::Error&) {
    return std::nullopt;
  }
}

at::Device device_of(const std::string& text) {
  const auto device = parse_device(text);
  if (!device) throw EnvironmentError{fmt::format("--device {}: LibTorch knows no such device", text)};
  return *device;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

/// What a device died of, in one word.
std::string death_word(std::string_view message) {
  constexpr std::pair<std::string_view, std::string_view> words[] = {
      {"device-side assert", "device-assert"},       {"illegal memory access", "illegal-address"},
      {"misaligned address", "misaligned-address"},  {"illegal instruction", "illegal-instruction"},
      {"launch timed out", "launch-timeout"},        {"launch failure", "launch-failure"},
      {"ECC error", "memory-error"},
  };
  for (const auto& [text, word] : words)
    if (message.find(text) != message.npos) return std::string(word);
  return "device-lost";
}

/// After some errors of a device every further call in this process fails as well.
bool is_lost(at::Device device) {
  try {
    at::accelerator::synchronizeDevice(device.has_index() ? device.index() : at::accelerator::getDeviceIndex());
    return false;
  } catch (const c10::Error&) {
    return true;
  }
}

}  // namespace

at::Device current_device() { return current; }

void check_device_lives(const c10::Error& error) {
  if (current.is_cpu()) return;
  const std::string message = first_line(error.what_without_backtrace());
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error))
    throw EnvironmentError{fmt::format("--device {}: out of memory: {}", current.str(), message)};
  if (!dynamic_cast<const c10::AcceleratorError*>(&error) || !is_lost(current)) return;
  // Which op it was is not known: a device says late what went wrong.
  throw DeviceLost{fmt::format("\n{}\n{}\n{}", death_word(message), message, c10::DeviceTypeName(current.type(), true))};
}

bool knows_device(const std::string& device) {
  const auto parsed = parse_device(device);
  return parsed && !parsed->is_cpu() && c10::impl::hasDeviceGuardImpl(parsed->type());
}

std::string device_type(const std::string& device) { return device.substr(0, device.find(':')); }

std::string device_words(const std::string& device) {
  std::string words = fmt::format("{} of them", at::accelerator::deviceCount());
  try {
    const at::Device parsed = device_of(device);
    const auto [free, all] = at::accelerator::getMemoryInfo(parsed.has_index() ? parsed.index() : at::DeviceIndex{0});
    words += fmt::format(", {:.1f} of {:.1f} GB free", static_cast<double>(free) / 1e9, static_cast<double>(all) / 1e9);
  } catch (const c10::Error&) {  // not every backend says
  }
  return words;
}

void open_device(const std::string& name) {
  static std::string open;
  if (open == name) return;
  const at::Device device = device_of(name);
  const int count = at::accelerator::deviceCount();
  if (device.has_index() && count > 0 && device.index() >= count)
    throw EnvironmentError{fmt::format("--device {}: LibTorch sees only {} of these devices", name, count)};
  try {
    const at::Tensor one = at::ones({1}, at::TensorOptions().device(device).dtype(at::kDouble));
    if (one.add(one).item<double>() != 2) throw EnvironmentError{fmt::format("--device {}: 1 + 1 is not 2 there", name)};
  } catch (const c10::Error& error) {
    throw EnvironmentError{fmt::format("--device {}: {}", name, first_line(error.what_without_backtrace()))};
  }
  open = name;
}

void allow_reduced_precision(bool on) {
  static std::optional<bool> set;
  if (set == on) return;
  set = on;
  at::Context& context = at::globalContext();
  context.setAllowTF32CuBLAS(on);
  context.setAllowTF32CuDNN(on);
  context.setAllowFP16ReductionCuBLAS(on);  // split-k stays allowed: cuBLAS, unlike cuBLASLt, refuses to be without it
  context.setAllowBF16ReductionCuBLAS(on);
  context.setBenchmarkCuDNN(false);
}

OnDevice::OnDevice(const std::string& device)
    : type_before_(static_cast<short>(current.type())), index_before_(current.index()) {
  current = device_of(device);
}

OnDevice::~OnDevice() {
  current = at::Device(static_cast<at::DeviceType>(type_before_), static_cast<at::DeviceIndex>(index_before_));
}

}  // namespace gradsmith
