// The libFuzzer target: a chain in, a verdict out (worker.hpp says what becomes of findings). What the chain reached guides
// the engine (counters.hpp), which keeps what is worth going on from. Bytes that are no chain become one when they are mutated
// (mutator.hpp); as inputs they are rejected.
#include <cstdint>
#include <string_view>

#include "fuzz/counters.hpp"
#include "fuzz/mutator.hpp"
#include "fuzz/worker.hpp"
#include "harness/coverage_verdict.hpp"
#include "harness/parse.hpp"
#include "harness/version.hpp"

namespace {

using namespace gradsmith;

Reached& reached() {
  static Reached one;
  return one;
}

FuzzWorker& worker() {
  static FuzzWorker one(&reached());
  return one;
}

std::string_view as_text(const std::uint8_t* data, std::size_t size) { return {reinterpret_cast<const char*>(data), size}; }

}  // namespace

/// Tells this program from other libFuzzer programs, which cannot be a campaign's workers.
[[gnu::used]] const std::string_view mark = gradsmith::worker_mark;

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  worker().prepare();
  register_counters();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  worker().begin(as_text(data, size));
  const auto parsed = parse(as_text(data, size));
  const auto* chain = std::get_if<Chain>(&parsed);
  reached().clear();
  const bool kept = chain && breeds(worker().judge(*chain).status);
  publish(reached());
  worker().end();
  return kept ? 0 : -1;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed) {
  return mutate_text(data, size, max_size, seed, worker().knobs());
}
