// An accelerator as a second machine that runs chains: made ready in this process, then current within a scope. Its
// library is loaded already (device_library.hpp). The header knows no LibTorch.
#pragma once

#include <string>

namespace gradsmith {

/// Whether LibTorch, as it is loaded now, knows a device of that name ("cuda", "cuda:1", a backend's own name). Asks
/// nothing of the device.
bool knows_device(const std::string& device);
/// The device's type without its number: "cuda".
std::string device_type(const std::string& device);
/// How many devices of the kind there are, and the memory of this one where it says. After open_device().
std::string device_words(const std::string& device);

/// Makes the device ready for this process; again with the same name: nothing. Never in a process that forks others which
/// use it: a context does not survive that. EnvironmentError: there is no such device, or it does not work, in one line.
void open_device(const std::string& device);

/// TF32 and accumulation in reduced precision: off, but in the lane `tf32`.
void allow_reduced_precision(bool on);

/// Inputs and cotangents of chains are made on that device while it lives, in this thread, so that whatever runs a chain
/// runs it there.
class OnDevice {
 public:
  explicit OnDevice(const std::string& device);
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;
  ~OnDevice();

 private:
  short type_before_, index_before_;
};

}  // namespace gradsmith
