// A campaign's worker without engine and LibTorch: it takes the flags that libFuzzer takes, writes what a worker
// writes, and fails on demand. So that campaigns are tested quickly, and without clang.
//
// GRADSMITH_FAKE=found   reports a finding at inputs 5, 10, ... under 3 made-up signatures
// GRADSMITH_FAKE=crash, hang, exit   does that at input 20 of its first process
// GRADSMITH_FAKE=report   says at input 20 of its first process what a sanitizer says, and ends as with one
// GRADSMITH_FAKE=fragile  crashes at input 3 of every process
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "harness/exits.hpp"
#include "harness/generate.hpp"
#include "harness/print.hpp"
#include "harness/version.hpp"
#include "harness/worker_folder.hpp"

namespace {

using namespace gradsmith;

volatile std::sig_atomic_t stop = 0;

/// Every unit is needed: the fake knows no coverage.
int merge(const std::string& out, const std::string& in) {
  std::filesystem::copy(in, out, std::filesystem::copy_options::recursive);
  return 0;
}

FoundReport made_up(const Chain& chain, std::uint64_t number) {
  CaseReport report;
  report.status = Status::finding;
  report.signature = {
      .kind = FindingKind::wrong_gradient, .guilty = "made_up_" + std::to_string(number % 3), .detail = "small"};
  report.headline = report.evidence = "made up\n";
  report.record = "{\"signature\": \"" + report.signature.text() + "\"}";
  return {print(chain), report};
}

int work(const WorkerFolder& folder, std::uint64_t seed, const std::string& fault) {
  std::signal(SIGUSR1, [](int) { stop = 1; });
  folder.make();
  SlotWriter slot(folder.slot());
  WorkerCount count = folder.read_count();
  const bool first = count.tally.programs == 0;
  for (std::uint64_t input = 1; !stop; ++input) {
    Choices choices(seed * 1000 + input);
    const std::string text = print(generate(choices));
    slot.begin(text);
    slot.chain(text);
    slot.enter("execute");
    if (input == 20 && first && fault == "crash") std::raise(SIGSEGV);
    if (input == 3 && fault == "fragile") std::raise(SIGSEGV);
    if (input == 20 && first && fault == "report") {
      std::fputs("=====\n==7==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x7\n"
                 "    #0 0x8 in made_up made.cpp:9\n"
                 "SUMMARY: AddressSanitizer: heap-buffer-overflow made.cpp:9 in made_up\n==7==ABORTING\n", stderr);
      std::abort();
    }
    if (input == 20 && first && fault == "hang") ::pause();
    if (input == 20 && fault == "exit") std::_Exit(3);
    ++count.tally.programs;
    if (input % 5 == 0 && fault == "found") {
      Choices again(seed * 1000 + input);
      const FoundReport found = made_up(generate(again), input);
      folder.write_found(found);
      ++count.findings[found.report.signature.text()];
    }
    slot.end();
    std::ofstream(folder.corpus() / (std::to_string(seed) + "-" + std::to_string(input))) << text;
    folder.write_count(count);
    std::fprintf(stderr, "#%d\tNEW    cov: 1 ft: %d corp: %d/1Kb\n", int(input), int(input), int(input));
    ::usleep(20'000);
  }
  std::puts("stat::number_of_executed_units");  // what tells a libFuzzer program from others,
  std::puts(worker_mark);                       // and a worker from these,
  std::puts("__asan_init");                     // and one with sanitizers
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t seed = 0;
  for (int i = 1; i < argc; ++i) {
    if (!std::strcmp(argv[i], "-set_cover_merge=1")) return merge(argv[argc - 2], argv[argc - 1]);
    if (!std::strncmp(argv[i], "-seed=", 6)) seed = std::strtoull(argv[i] + 6, nullptr, 10);
  }
  std::signal(SIGSEGV, SIG_DFL);  // a build with sanitizers makes a report of it; what this one says is made up
  const char* folder = std::getenv("GRADSMITH_WORKER");
  const char* fault = std::getenv("GRADSMITH_FAKE");
  if (!folder) return 2;
  try {
    return work({folder}, seed, fault ? fault : "");
  } catch (const EnvironmentError& error) {
    std::fprintf(stderr, "%s\n", error.message.c_str());
    return exit_missing;
  }
}
