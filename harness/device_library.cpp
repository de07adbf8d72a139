#include "harness/device_library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>

#include "harness/device.hpp"
#include "harness/environment.hpp"
#include "harness/exits.hpp"
#include "harness/judge.hpp"
#include "harness/process.hpp"

namespace gradsmith {

namespace {

namespace fs = std::filesystem;

constexpr const char* cuda_library = "libtorch_cuda.so";
constexpr const char* started_again = "GRADSMITH_STARTED_AGAIN";  // set: this process has looked for libraries once

/// Null, and the reason in `why`, if the library does not load.
void* load(const char* library, std::string& why) {
  void* handle = ::dlopen(library, RTLD_NOW | RTLD_GLOBAL);
  if (!handle) why = ::dlerror();
  return handle;
}

std::string text_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// What a command prints, without the newline at its end; "" if it fails.
std::string printed_by(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen((command + " 2>/dev/null").c_str(), "r"), ::pclose);
  std::string out;
  std::array<char, 512> block;
  while (pipe && std::fgets(block.data(), block.size(), pipe.get())) out += block.data();
  if (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

/// Folders that may hold a LibTorch (with lib/ in them), in the order in which they are tried.
std::vector<fs::path> candidates() {
  std::vector<fs::path> folders;
  if (const char* root = std::getenv("LIBTORCH_ROOT"); root && *root)
    for (const fs::path& folder : {fs::path(root), fs::path(root) / "torch"}) folders.push_back(folder);
  const char* python = std::getenv("GRADSMITH_PYTHON");
  const std::string found = printed_by(
      fmt::format("'{}' -c 'import importlib.util as u; s = u.find_spec(\"torch\"); "
                  "print(s.submodule_search_locations[0] if s else \"\")'",
                  python && *python ? python : "python3"));
  if (!found.empty()) folders.emplace_back(found);
  return folders;
}

/// The release that a folder holds: of a wheel or of an archive; "" if it does not say.
std::string release_in(const fs::path& folder) {
  std::string text = text_of(folder / "build-version");
  if (text.empty()) {
    text = text_of(folder / "version.py");
    const auto at = text.find("__version__ = '");
    text = at == text.npos ? "" : text.substr(at + std::strlen("__version__ = '"));
  }
  return text.substr(0, text.find_first_not_of("0123456789."));
}

/// Starts this program again with the libraries of that folder in front.
[[noreturn]] void start_again(const fs::path& libraries) {
  const char* path = std::getenv("LD_LIBRARY_PATH");
  const std::string now = libraries.string() + (path && *path ? std::string(":") + path : "");
  ::setenv("LD_LIBRARY_PATH", now.c_str(), 1);
  ::setenv(started_again, "1", 1);
  std::string words = text_of("/proc/self/cmdline");
  std::vector<char*> argv;
  for (std::size_t at = 0; at < words.size(); at += std::strlen(words.data() + at) + 1) argv.push_back(words.data() + at);
  argv.push_back(nullptr);
  std::fflush(nullptr);
  ::execv("/proc/self/exe", argv.data());
  throw EnvironmentError{fmt::format("this program cannot be started again: {}", std::strerror(errno))};
}

void load_cuda() {
  std::string why;
  if (load(cuda_library, why)) return;
  if (why.find("cannot open shared object file") == why.npos || why.find(cuda_library) == why.npos)
    throw EnvironmentError{fmt::format("--device cuda: {} does not load: {}", cuda_library, why)};
  std::string others;
  if (!std::getenv(started_again))
    for (const fs::path& folder : candidates()) {
      std::error_code ignored;
      if (!fs::exists(folder / "lib" / cuda_library, ignored)) continue;
      const std::string release = release_in(folder);
      if (release == libtorch_version()) start_again(folder / "lib");
      others += fmt::format("; {} holds {}", folder.string(), release.empty() ? "an unknown release" : release);
    }
  throw EnvironmentError{fmt::format(
      "--device cuda: no {} beside the LibTorch in use, a build for the CPU; none of {} in LD_LIBRARY_PATH, LIBTORCH_ROOT or "
      "python3's torch{}",
      cuda_library, libtorch_version(), others)};
}

/// Why the device does not work, tried in a process of its own; nothing if it does.
std::optional<std::string> trouble_with(const std::string& device) {
  constexpr double patience = 300;  // seconds: a first start on a machine at work reads gigabytes of kernels
  const Apart result = apart(
      [&] {
        prepare({.device = device});
        return std::string("works");
      },
      patience);
  if (result.answer) return std::nullopt;
  if (result.hung) return fmt::format("--device {}: no answer within {} s", device, patience);
  if (result.ended.code == exit_missing) return result.ended.words;
  return fmt::format("--device {}: the first use ends with {}", device, ended_name(result.ended));
}

/// Whether what follows a device's colon, if it has one, is a number as LibTorch numbers devices.
bool has_index_or_none(const std::string& device) {
  const std::size_t colon = device.find(':');
  if (colon == device.npos) return true;
  const std::string index = device.substr(colon + 1);
  return !index.empty() && index.size() <= 3 && index.find_first_not_of("0123456789") == index.npos;
}

void load_and_try(const std::string& device, const std::vector<std::string>& libraries) {
  load_device(device, libraries);
  if (auto why = trouble_with(device)) throw EnvironmentError{*why};
}

}  // namespace

void load_device(const std::string& device, const std::vector<std::string>& libraries) {
  if (device_type(device) == "cuda") load_cuda();
  for (const std::string& library : libraries) {
    std::string why;
    const std::string path = library.find('/') == library.npos ? "./" + library : library;
    if (!load(path.c_str(), why)) throw EnvironmentError{fmt::format("--load {}: does not load: {}", library, why)};
  }
  if (!knows_device(device))
    throw EnvironmentError{fmt::format("--device {}: no such device after loading {}", device,
                                       libraries.empty() ? cuda_library : libraries.back())};
}

std::string choose_device(const std::string& asked, const std::vector<std::string>& libraries) {
  if (asked == "cpu") {
    if (!libraries.empty()) throw UsageError{"--load: needs --device"};
    return {};
  }
  if (asked == "all") {
    try {
      load_and_try("cuda", libraries);
      return "cuda";
    } catch (const EnvironmentError& error) {
      fmt::print(stderr, "on the CPU only: {}\n", error.message);
      return {};
    }
  }
  if ((device_type(asked) != "cuda" && libraries.empty()) || !has_index_or_none(asked))
    throw UsageError{fmt::format(
        "--device: unknown device \"{}\"; expected cpu, cuda, cuda:N, all, or the device of a library given with --load",
        asked)};
  load_and_try(asked, libraries);
  return asked;
}

}  // namespace gradsmith
