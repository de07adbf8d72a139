// gradsmith_bench: how many programs a second one core judges, what each witness costs against the bare forward and
// backward of the same programs, what a refused program costs, and whether memory stays flat. Ratios come from one run on
// one set of programs, taken in turns, so that a noisy machine blurs them little.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <fmt/format.h>
#include <fstream>
#include <functional>
#include <string>
#include <unistd.h>

#include "harness/coverage.hpp"
#include "harness/execute.hpp"
#include "harness/expect.hpp"
#include "harness/generate.hpp"
#include "harness/judge.hpp"
#include "harness/op.hpp"

namespace {

using namespace gradsmith;
using Clock = std::chrono::steady_clock;

struct Program {
  Chain chain;
  std::vector<Value> roots;
};

double resident_mib() {
  std::ifstream statm("/proc/self/statm");
  double total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

/// Median over `rounds` of the microseconds per program of each job, the jobs taken in turns.
template <std::size_t N>
std::array<double, N> measure(const std::vector<Program>& programs, int rounds,
                              const std::array<std::function<void(const Program&)>, N>& jobs) {
  std::array<std::vector<double>, N> times;
  for (int round = 0; round < rounds; ++round)
    for (std::size_t j = 0; j < N; ++j) {
      const auto start = Clock::now();
      for (const auto& program : programs) jobs[j](program);
      const std::chrono::duration<double, std::micro> spent = Clock::now() - start;
      times[j].push_back(spent.count() / static_cast<double>(programs.size()));
    }
  std::array<double, N> medians{};
  for (std::size_t j = 0; j < N; ++j) {
    std::nth_element(times[j].begin(), times[j].begin() + rounds / 2, times[j].end());
    medians[j] = times[j][rounds / 2];
  }
  return medians;
}

Plan only(std::initializer_list<Witness> witnesses) {
  Plan plan;
  plan.witnesses.fill(false);
  for (const Witness w : witnesses) plan.witnesses[static_cast<std::size_t>(w)] = true;
  return plan;
}

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::max(100, std::atoi(argv[1])) : 2000;
  initialize_libtorch();
  Knobs knobs;
  std::vector<Program> accepted, refused;
  double steps = 0;
  for (std::uint64_t seed = 1; accepted.size() < static_cast<std::size_t>(count); ++seed) {
    Choices choices(seed);
    Program program{generate(choices, knobs), {}};
    auto typed = type_chain(program.chain);
    const Expectation expectation = expect(program.chain, std::get<Typed>(typed), &program.roots);
    const Verdict verdict = judge(program.chain);  // warms caches; keeps only what is really accepted
    if (verdict.status == Status::agreed_raise && expectation.refusal) {
      refused.push_back(std::move(program));
    } else if (verdict.status == Status::pass) {
      steps += step_count(program.chain);
      accepted.push_back(std::move(program));
    }
  }
  fmt::print("programs: {} accepted ({:.1f} steps in the mean), {} refused, one core, float64, up to {} elements\n\n",
             accepted.size(), steps / static_cast<double>(accepted.size()), refused.size(), knobs.max_elements);

  const Plan all;
  const Plan none = only({}), expectation = only({Witness::expectation}), reference = only({Witness::reference}),
             twin = only({Witness::twin}), difference = only({Witness::difference});
  using Job = std::function<void(const Program&)>;
  Reached reached;
  Plan covered;
  covered.coverage = &reached;
  const auto times = measure<8>(
      accepted, 5,
      {Job([](const Program& p) { execute_bare(p.chain, p.roots); }), Job([&](const Program& p) { judge(p.chain, none); }),
       Job([&](const Program& p) { judge(p.chain, expectation); }), Job([&](const Program& p) { judge(p.chain, reference); }),
       Job([&](const Program& p) { judge(p.chain, twin); }), Job([&](const Program& p) { judge(p.chain, difference); }),
       Job([&](const Program& p) { judge(p.chain, all); }), Job([&](const Program& p) {
         reached.clear();
         judge(p.chain, covered);
       })});
  const auto line = [&](const char* name, double us) { fmt::print("  {:<44}{:>9.1f} us{:>8.2f} x bare\n", name, us, us / times[0]); };
  fmt::print("accepted, per program:\n");
  line("bare forward + backward", times[0]);
  line("run, values and gradients read, modelled", times[1]);
  line("  + reference (adds)", times[3] - times[1]);
  line("  + twin (adds; needs the reference's spread)", times[4] - times[3]);
  line("  + difference (adds; needs the reference)", times[5] - times[3]);
  line("whole verdict, four witnesses", times[6]);
  line("  + coverage (adds)", times[7] - times[6]);
  std::uint64_t seed = 0;
  const auto generation = measure<1>(accepted, 3, {Job([&](const Program&) {
    Choices choices(++seed);
    generate(choices, knobs);
  })});
  line("generation", generation[0]);
  fmt::print("  {:<44}{:>9.0f} /s\n\n", "accepted programs judged", 1e6 / times[6]);
  const auto raise = measure<1>(refused, 5, {Job([&](const Program& p) { judge(p.chain, all); })});
  fmt::print("refused, per program:\n");
  line("whole verdict", raise[0]);

  const double before = resident_mib();
  const int growth_count = 100'000;
  for (int i = 0; i < growth_count; ++i) judge(accepted[static_cast<std::size_t>(i) % accepted.size()].chain, all);
  fmt::print("\nresident memory: {:.1f} MiB, grown by {:.2f} MiB over {} programs\n", resident_mib(), resident_mib() - before,
             growth_count);
  return 0;
}
