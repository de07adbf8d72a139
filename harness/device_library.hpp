// Where a device's libraries come from: CUDA's part of LibTorch beside the one this program runs on, or beside another of
// the same release that this program then starts again with; and backends given by the user. Knows no LibTorch.
#pragma once

#include <string>
#include <vector>

namespace gradsmith {

/// Loads what `device` needs into this process: for "cuda" LibTorch's own library, then `libraries`, in order. Comes before
/// anything that asks LibTorch for its devices, in the process that forks all others.
///
/// If the LibTorch at hand is a build for the CPU, one of the same release with CUDA is looked for in LIBTORCH_ROOT and in
/// the Python at hand (GRADSMITH_PYTHON, else python3), and this program starts again, in this process, with its libraries
/// in front of LD_LIBRARY_PATH; what was done before this call is done again then.
/// EnvironmentError: what could not be loaded, and why, in one line.
void load_device(const std::string& device, const std::vector<std::string>& libraries);

/// The device to use of those asked for by the option --device: "" for "cpu"; for "all" whichever accelerator works, or "" after
/// a line on standard error that says why there is none. The device was tried in a process of its own. UsageError: a name
/// that can be none; EnvironmentError: a device asked for by name that is not there or does not work.
std::string choose_device(const std::string& asked, const std::vector<std::string>& libraries);

}  // namespace gradsmith
