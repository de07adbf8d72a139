// What is left of a device that answers no more. Knows nothing of LibTorch or chains.
#pragma once

#include <string>

namespace gradsmith {

/// Thrown once a process cannot go on with its device, like after an illegal access on a GPU: whatever it calls there
/// fails. `words` are its last words: an empty line for the op at fault, what happened in one word, a sentence, the device.
struct DeviceLost {
  std::string words;
};

/// Ends the process with those last words; its parent takes it for a crash.
[[noreturn]] void end_without_device(const DeviceLost& lost);

}  // namespace gradsmith
