// `gradsmith doctor`: what this machine can run and what is missing. What is optional is said to be so.
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "harness/commands.hpp"
#include "harness/device.hpp"
#include "harness/device_library.hpp"
#include "harness/environment.hpp"
#include "harness/exits.hpp"
#include "harness/files.hpp"
#include "harness/process.hpp"
#include "harness/sanitizers.hpp"
#include "harness/version.hpp"

namespace gradsmith {

namespace {

namespace fs = std::filesystem;

void line(std::string_view what, std::string_view answer) { fmt::print("{:<16}{}\n", what, answer); }

/// Where a program lies on the PATH, or nothing.
std::optional<std::string> on_path(const std::vector<std::string>& programs) {
  const char* path = std::getenv("PATH");
  for (const std::string& program : programs) {
    std::istringstream folders(path ? path : "");
    std::error_code ignored;
    for (std::string folder; std::getline(folders, folder, ':');)
      if (fs::is_regular_file(fs::path(folder) / program, ignored)) return (fs::path(folder) / program).string();
  }
  return std::nullopt;
}

/// libFuzzer's archive of a clang, or nothing.
std::optional<std::string> libfuzzer() {
  std::error_code ignored;
  for (int major = 25; major >= 15; --major)
    for (const char* arch : {"x86_64", "aarch64"}) {
      const std::string name = fmt::format("libclang_rt.fuzzer-{}.a", arch);
      for (const std::string& folder : {fmt::format("/usr/lib/llvm-{0}/lib/clang/{0}/lib/linux", major),
                                        fmt::format("/usr/lib/clang/{}/lib/linux", major)})
        if (fs::is_regular_file(fs::path(folder) / name, ignored)) return (fs::path(folder) / name).string();
    }
  return std::nullopt;
}

std::string disk_words() {
  std::error_code error;
  const auto space = fs::space(".", error);
  if (error) return "not known: " + error.message();
  return fmt::format("{:.1f} GB free here", static_cast<double>(space.available) / 1e9);
}

/// LibTorch starts, in a process of its own; or why not.
std::optional<std::string> libtorch_trouble() {
  const Apart result = apart(
      [] {
        initialize_libtorch();
        return std::string("ready");
      },
      120);
  if (result.answer) return std::nullopt;
  return result.hung ? "does not start: no answer within 120 s" : "does not start: " + ended_name(result.ended);
}

/// Whether a lane can be installed, in a process of its own.
std::string lane_words(const LaneEntry& entry) {
  const Apart result = apart(
      [&] {
        initialize_libtorch();
        try {
          if (entry.install) entry.install(true);
        } catch (const EnvironmentError& error) {
          return error.message;
        }
        return std::string("works");
      },
      120);
  return result.answer ? *result.answer : "does not start: " + ended_name(result.ended);
}

/// What CUDA has to offer, or what it lacks; tried in a process of its own.
std::string cuda_words() {
  try {
    load_device("cuda", {});
  } catch (const EnvironmentError& error) {
    return error.message;
  }
  const Apart result = apart(
      [] {
        prepare({.device = "cuda"});
        return "works: " + device_words("cuda");
      },
      300);
  if (result.answer) return *result.answer;
  return result.hung ? "no answer within 300 s" : result.ended.words.empty() ? ended_name(result.ended) : result.ended.words;
}

/// The driver's own words.
std::string gpu_words() {
  std::ifstream file("/proc/driver/nvidia/version");
  std::string driver;
  if (!std::getline(file, driver)) return "none (needed only for --device cuda)";
  return driver.substr(driver.find(':') == driver.npos ? 0 : driver.find_first_not_of(' ', driver.find(':') + 1));
}

}  // namespace

int command_doctor() {
  const std::string cuda = cuda_words();  // first: it may start this program again
  line("GradSmith", version);
  const auto trouble = libtorch_trouble();
  line("LibTorch", libtorch_version() + (trouble ? ", " + *trouble : ", starts"));
  line("CPU capability", cpu_capability());
  line("cores", std::to_string(std::thread::hardware_concurrency()));
  line("compiler", on_path({"g++", "c++", "clang++"}).value_or("none (needed only to build)"));
  line("clang", on_path({"clang++-19", "clang++"}).value_or("none (needed only for the fuzz target)"));
  line("libFuzzer", libfuzzer().value_or("none (needed only for the fuzz target)"));
  for (const LaneEntry& entry : lane_table())
    line("lane", fmt::format("{:<13}{}: {}", entry.name, lane_words(entry), entry.shows));
  line("sanitizers", has_sanitizers() ? "AddressSanitizer, UBSan, LeakSanitizer" : "none (the preset `asan` has them)");
  line("valgrind", on_path({"valgrind"}).value_or("none (needed only for memcheck)"));
  const auto worker = find_worker_program();
  line("fuzz worker", worker ? worker->string() : "none (needed only for `fuzz` and `campaign`: cmake --build --preset fuzz)");
  line("GPU", gpu_words());
  line("device", cuda);
  line("disk", disk_words());
  const auto corpus = find_corpus(std::nullopt);
  line("corpus", corpus ? fmt::format("{} ({} chains)", corpus->string(), chain_files({corpus->string()}).size())
                        : "none found: known issues will be reported as new");
  return trouble ? exit_missing : exit_clean;
}

}  // namespace gradsmith
