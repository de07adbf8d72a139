// What coverage feedback is worth: the planted deep faults, found under one of four arms (GRADSMITH_ARM): `coverage` fuzzes
// as chain_fuzzer does, `unguided` makes the same mutants of the seeds and keeps none, `random` judges generated chains,
// `bytes` leaves mutation to the engine. Same engine, same judge, same accounts, which go to GRADSMITH_ABLATION as one JSON
// object. Ends after GRADSMITH_SECONDS of its own processor time, so that what else a machine does favours no arm.
// fuzz/ablation.py runs it.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fmt/format.h>
#include <map>
#include <string>
#include <string_view>

#include "fuzz/counters.hpp"
#include "fuzz/mutator.hpp"
#include "harness/coverage_verdict.hpp"
#include "harness/generate.hpp"
#include "harness/judge.hpp"
#include "harness/op.hpp"
#include "properties/planted.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);  // of the engine

namespace gradsmith {

const std::vector<const Op*>& extra_ops() { return deep_ops(); }

namespace {

enum class Arm { coverage, unguided, random, bytes };

Arm arm() {
  static const Arm chosen = [] {
    const char* name = std::getenv("GRADSMITH_ARM");
    const std::string_view word = name ? name : "coverage";
    if (word == "coverage") return Arm::coverage;
    if (word == "unguided") return Arm::unguided;
    if (word == "random") return Arm::random;
    if (word == "bytes") return Arm::bytes;
    std::fprintf(stderr, "GRADSMITH_ARM: expected coverage, unguided, random or bytes\n");
    std::exit(2);
  }();
  return chosen;
}

double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

/// What a run has come to; written at exit.
struct Account {
  double started = processor_seconds();
  double limit = std::getenv("GRADSMITH_SECONDS") ? std::atof(std::getenv("GRADSMITH_SECONDS")) : 60;
  std::uint64_t programs = 0;
  Reached reached{};
  std::map<std::string, double> found{};  // op: seconds

  double seconds() const { return processor_seconds() - started; }

  void write() const {
    const char* file = std::getenv("GRADSMITH_ABLATION");
    if (!file) return;
    std::map<Domain, int> counts;
    for (const std::uint32_t index : reached.counters()) ++counts[domain_of(index)];
    std::string deep, depths;
    for (const auto& [op, when] : found) deep += fmt::format("{}\"{}\": {:.2f}", deep.empty() ? "" : ", ", op, when);
    for (const DeepPlanted& fault : deep_planted())
      depths += fmt::format("{}\"{}\": {}", depths.empty() ? "" : ", ", fault.op, fault.depth);
    std::FILE* out = std::fopen(file, "w");
    if (!out) return;
    fmt::print(out, "{{\"programs\": {}, \"seconds\": {:.1f}, \"relations\": {}, \"histories\": {}, \"found\": {{{}}}, "
               "\"depths\": {{{}}}}}\n",
               programs, seconds(), counts[Domain::relations], counts[Domain::histories], deep, depths);
    std::fclose(out);
  }
};

Account& account() {
  static Account account;
  return account;
}

bool uses(const Chain& chain, std::string_view op) {
  return std::any_of(chain.statements.begin(), chain.statements.end(), [&](const Statement& statement) {
    const auto* step = std::get_if<Step>(&statement);
    return step && step->op->name == op;
  });
}

/// Notes the deep fault that a finding shows, at its first time. The judge names the op at fault; where an error is
/// missing it cannot, and the fault counts if the chain uses no other that could be meant.
void note_finding(const Chain& chain, const Verdict& verdict) {
  const auto meant = [&](const DeepPlanted& fault) {
    return verdict.signature.kind == fault.kind && uses(chain, fault.op);
  };
  const auto candidates = std::count_if(deep_planted().begin(), deep_planted().end(), meant);
  for (const DeepPlanted& fault : deep_planted()) {
    if (!meant(fault) || account().found.contains(std::string(fault.op))) continue;
    const bool blamed = fault.witness == Witness::expectation
                            ? candidates == 1
                            : judge(chain).signature.guilty.find(fault.op) != std::string::npos;
    if (blamed) account().found[std::string(fault.op)] = account().seconds();
  }
}

bool mutating = false;  // the engine has read its seeds

/// The stored chains that the engine has run: those it ran before it asked for a mutant.
std::vector<std::string>& seeds() {
  static std::vector<std::string> texts;
  return texts;
}

/// A mutant of some seed, whatever the engine has kept.
std::size_t mutate_seed(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed) {
  if (!seeds().empty()) {
    const std::string& text = seeds()[Choices(~std::uint64_t{seed}).below(seeds().size())];
    size = std::min(text.size(), max_size);
    std::copy_n(text.begin(), size, data);
  }
  return mutate_text(data, size, max_size, seed);
}

}  // namespace
}  // namespace gradsmith

using namespace gradsmith;

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  initialize_libtorch();
  if (arm() == Arm::coverage) register_counters();
  account();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Chain chain = chain_of(data, size);
  if (!mutating) seeds().emplace_back(data, data + size);
  static Reached reached;
  reached.clear();
  const Verdict verdict = judge(chain, {.guilt = false, .coverage = &reached});
  ++account().programs;
  for (const std::uint32_t index : reached.counters()) account().reached.note(index);
  if (verdict.status == Status::finding) note_finding(chain, verdict);
  if (arm() == Arm::coverage) publish(reached);
  if (account().seconds() < account().limit) return breeds(verdict.status) ? 0 : -1;
  account().write();
  std::_Exit(0);
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed) {
  mutating = true;
  if (arm() == Arm::coverage) return mutate_text(data, size, max_size, seed);
  if (arm() == Arm::unguided) return mutate_seed(data, size, max_size, seed);
  if (arm() == Arm::bytes) return LLVMFuzzerMutate(data, size, max_size);
  Choices choices(seed);
  const std::size_t written = put(generate(choices), data, max_size);
  return written > 0 ? written : std::max<std::size_t>(1, size);
}
