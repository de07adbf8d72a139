// The libFuzzer target: a chain in, a verdict out. A finding that corpus/known does not hold aborts, after a DEDUP_TOKEN
// line that keeps `-minimize_crash` on the same signature; with GRADSMITH_ON_FINDING=report it is printed once and the run
// goes on. What the chain reached guides the engine (counters.hpp). Bytes that are no chain become one when they are
// mutated (mutator.hpp); as inputs they are rejected.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>

#include "fuzz/counters.hpp"
#include "fuzz/mutator.hpp"
#include "harness/judge.hpp"
#include "harness/known.hpp"
#include "harness/parse.hpp"
#include "harness/print.hpp"

namespace {

using namespace gradsmith;

/// Signatures of known issues: found, but not aborted on.
std::set<std::string>& known() {
  static std::set<std::string> signatures;
  return signatures;
}

std::string_view as_text(const std::uint8_t* data, std::size_t size) { return {reinterpret_cast<const char*>(data), size}; }

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char* corpus = std::getenv("GRADSMITH_CORPUS");
  // Known issues are judged in processes of their own, so this comes before LibTorch is set up here.
  for (const auto& [signature, issue] : learn_known(corpus ? corpus : "corpus", {}).issues) known().insert(signature);
  initialize_libtorch();
  register_counters();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parsed = parse(as_text(data, size));
  const auto* chain = std::get_if<Chain>(&parsed);
  static Reached reached;
  reached.clear();
  if (!chain) {
    publish(reached);
    return -1;
  }
  const Verdict verdict = judge(*chain, {.coverage = &reached});
  publish(reached);
  if (verdict.status != Status::finding) return 0;
  const std::string signature = verdict.signature.text();
  if (known().contains(signature)) return 0;
  std::fprintf(stderr, "DEDUP_TOKEN: %s\n", signature.c_str());
  for (const auto& t : verdict.testimonies)
    if (t.opinion == Opinion::disagree)
      std::fprintf(stderr, "%s: %s\n", std::string(witness_name(t.witness)).c_str(), t.reason.c_str());
  std::fputs(print(*chain).c_str(), stderr);
  const char* wanted = std::getenv("GRADSMITH_ON_FINDING");
  if (!wanted || std::string_view(wanted) != "report") std::abort();
  known().insert(signature);  // once each
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed) {
  return mutate_text(data, size, max_size, seed);
}

extern "C" std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* data1, std::size_t size1, const std::uint8_t* data2,
                                                 std::size_t size2, std::uint8_t* out, std::size_t max_size, unsigned seed) {
  return cross_texts(data1, size1, data2, size2, out, max_size, seed);
}
