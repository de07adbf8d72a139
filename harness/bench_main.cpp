// gradsmith_bench: how many programs a second one core judges, what each witness costs against the bare forward and
// backward of the same programs, what a refused program costs, and whether memory stays flat. Made for a noisy machine:
// one pinned core, CPU time of the thread, all jobs in turns on small blocks of programs, medians of the blocks'
// ratios.
#include <sched.h>
#include <unistd.h>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <functional>
#include <span>
#include <string>

#include "harness/allocator.hpp"
#include "harness/coverage.hpp"
#include "harness/execute.hpp"
#include "harness/exits.hpp"
#include "harness/expect.hpp"
#include "harness/generate.hpp"
#include "harness/judge.hpp"
#include "harness/op.hpp"

namespace {

using namespace gradsmith;

constexpr std::size_t block = 20;  // programs: long enough to time, short enough that noise meets all jobs alike

struct Program {
  Chain chain;
  std::vector<Value> roots;
};
using Job = std::function<void(const Program&)>;

/// The jobs on accepted programs; a sample holds microseconds per program of each, on one block of programs.
enum JobName : std::size_t {
  bare,
  run_only,
  reference,
  twin,
  difference,
  forward,
  second,
  without_costs,
  whole,
  with_coverage,
  generation,
  job_count
};
using Sample = std::array<double, job_count>;

double resident_mib() {
  std::ifstream statm("/proc/self/statm");
  double total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

/// Stays on the core it is on; where that is not allowed the times are noisier, no less right.
void pin_core() {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<std::size_t>(sched_getcpu()), &one);
  sched_setaffinity(0, sizeof one, &one);
}

/// CPU time of this thread in microseconds. LibTorch runs everything in it: one thread, and backward on the CPU.
double now() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) * 1e-3;
}

/// Microseconds per program of a job on one block.
double time_block(std::span<const Program> programs, const Job& job) {
  const double start = now();
  for (const auto& program : programs) job(program);
  return (now() - start) / static_cast<double>(programs.size());
}

/// A sample per block and round: every block goes through all jobs before the next one does, another job first each
/// time.
std::vector<Sample> measure(std::span<const Program> programs, int rounds, const std::array<Job, job_count>& jobs) {
  std::vector<Sample> samples;
  for (int round = 0; round < rounds; ++round)
    for (std::size_t at = 0; at + block <= programs.size(); at += block) {
      Sample sample{};
      for (std::size_t turn = 0; turn < job_count; ++turn) {
        const std::size_t j = (turn + samples.size()) % job_count;
        sample[j] = time_block(programs.subspan(at, block), jobs[j]);
      }
      samples.push_back(sample);
    }
  return samples;
}

/// Lower quartile, median and upper quartile.
std::array<double, 3> quartiles(std::vector<double> numbers) {
  std::sort(numbers.begin(), numbers.end());
  const auto at = [&](double q) {
    return numbers[static_cast<std::size_t>(q * static_cast<double>(numbers.size() - 1))];
  };
  return {at(0.25), at(0.5), at(0.75)};
}

Plan only(std::initializer_list<Witness> witnesses) {
  Plan plan;
  plan.witnesses.fill(false);
  for (const Witness w : witnesses) plan.witnesses[static_cast<std::size_t>(w)] = true;
  return plan;
}

const Plan of_numbers = only({Witness::expectation, Witness::reference, Witness::twin, Witness::difference});

void bench(std::size_t count, int growth_count) {
  pin_core();
  initialize_libtorch();
  const Knobs knobs;
  std::vector<Program> accepted, refused;
  double steps = 0;
  for (std::uint64_t seed = 1; accepted.size() < count; ++seed) {
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
  fmt::print("programs: {} accepted ({:.1f} steps in the mean), {} refused; one core, float64, up to {} elements\n\n",
             accepted.size(), steps / static_cast<double>(accepted.size()), refused.size(), knobs.max_elements);

  Reached reached;
  Plan covered;
  covered.coverage = &reached;
  const auto judged = [](const Plan& plan) { return Job([plan](const Program& p) { judge(p.chain, plan); }); };
  std::uint64_t seed = 0;
  const auto samples = measure(accepted, 5,
                               {Job([](const Program& p) { execute_bare(p.chain, p.roots); }), judged(only({})),
                                judged(only({Witness::reference})), judged(only({Witness::twin})),
                                judged(only({Witness::difference})), judged(only({Witness::forward})),
                                judged(only({Witness::second})), Job([](const Program& p) {
                                  use_allocator(Allocator::own);
                                  judge(p.chain, of_numbers);
                                  use_allocator(Allocator::counting);
                                }),
                                judged(Plan{}), Job([&](const Program& p) {
                                  reached.clear();
                                  judge(p.chain, covered);
                                }),
                                Job([&](const Program&) {
                                  Choices choices(++seed);
                                  generate(choices, knobs);
                                })});
  fmt::print(
      "accepted: CPU time of a program, and over that of its bare forward + backward; medians of {} blocks of {}\n",
      samples.size(), block);
  fmt::print("  {:<44}{:>12}{:>10}   {}\n", "", "us", "x bare", "middle half");
  const auto line = [&](const char* name, auto cost) {
    std::vector<double> times, ratios;
    for (const Sample& s : samples) {
      times.push_back(cost(s));
      ratios.push_back(cost(s) / s[bare]);
    }
    const auto [low, middle, high] = quartiles(ratios);
    fmt::print("  {:<44}{:>12.1f}{:>10.2f}   {:.2f} .. {:.2f}\n", name, quartiles(times)[1], middle, low, high);
    return quartiles(times)[1];
  };
  line("bare forward + backward", [](const Sample& s) { return s[bare]; });
  line("run, values and gradients read, modelled", [](const Sample& s) { return s[run_only]; });
  line("  + reference (adds)", [](const Sample& s) { return s[reference] - s[run_only]; });
  line("  + twin (adds; needs the reference's spread)", [](const Sample& s) { return s[twin] - s[reference]; });
  line("  + difference (adds; needs the reference)", [](const Sample& s) { return s[difference] - s[reference]; });
  line("  + forward (adds; needs the reference)", [](const Sample& s) { return s[forward] - s[reference]; });
  line("  + second (adds)", [](const Sample& s) { return s[second] - s[run_only]; });
  line("verdict without memory and time, not counted", [](const Sample& s) { return s[without_costs]; });
  const double verdict = line("whole verdict", [](const Sample& s) { return s[whole]; });
  line("  + coverage (adds)", [](const Sample& s) { return s[with_coverage] - s[whole]; });
  line("generation", [](const Sample& s) { return s[generation]; });
  fmt::print("  {:<44}{:>10.0f}/s\n", "accepted programs judged", 1e6 / verdict);
  std::vector<double> shares;
  for (const Sample& s : samples) shares.push_back(s[whole] / s[without_costs] - 1);
  const auto [low, middle, high] = quartiles(shares);
  fmt::print("  {:<44}{:>11.1f}%            {:.1f} .. {:.1f}\n\n", "what memory and time add to a verdict", 100 * middle,
             100 * low, 100 * high);

  std::vector<double> times;
  for (std::size_t at = 0; at + block <= refused.size(); at += block)
    times.push_back(time_block(std::span<const Program>(refused).subspan(at, block), judged(Plan{})));
  fmt::print("refused:\n  {:<44}{:>12.1f}\n\n", "whole verdict", quartiles(times)[1]);

  const double before = resident_mib();
  for (int i = 0; i < growth_count; ++i) judge(accepted[static_cast<std::size_t>(i) % accepted.size()].chain);
  fmt::print("resident memory: {:.1f} MiB, grown by {:.2f} MiB over {} programs\n", resident_mib(),
             resident_mib() - before, growth_count);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("What judging costs, against the bare forward and backward of the same programs", "gradsmith_bench");
  std::size_t count = 2000;
  int growth = 100'000;
  app.add_option("--programs", count, "accepted programs to time (2000)")
      ->check(CLI::Range(std::size_t{100}, std::size_t{1'000'000}))
      ->option_text("N");
  app.add_option("--growth", growth, "programs to judge while memory is watched (100000)")
      ->check(CLI::Range(0, 1'000'000'000))
      ->option_text("N");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Error& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    std::fprintf(stderr, "gradsmith_bench: %s; see gradsmith_bench --help\n", error.what());
    return exit_usage;
  }
  bench(count, growth);
  return exit_clean;
}
