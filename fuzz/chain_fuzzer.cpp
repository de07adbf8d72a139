// The libFuzzer target: a chain in, a verdict out. A finding that corpus/known does not hold aborts, after a DEDUP_TOKEN
// line that keeps `-minimize_crash` on the same signature; with GRADSMITH_ON_FINDING=report it is printed once and the run
// goes on. Bytes that are no chain become one through the generator, whose
// choices they are, when mutated; as inputs they are rejected.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <algorithm>
#include <set>
#include <span>
#include <string>

#include "harness/exits.hpp"
#include "harness/generate.hpp"
#include "harness/judge.hpp"
#include "harness/known.hpp"
#include "harness/mutate.hpp"
#include "harness/parse.hpp"
#include "harness/print.hpp"
#include "harness/reduce.hpp"

namespace {

using namespace gradsmith;

/// Signatures of known issues: found, but not aborted on.
std::set<std::string>& known() {
  static std::set<std::string> signatures;
  return signatures;
}

/// What to check: all witnesses, and the lanes that the environment variable GRADSMITH_LANES names.
Plan& plan() {
  static Plan plan;
  return plan;
}

std::string_view as_text(const std::uint8_t* data, std::size_t size) { return {reinterpret_cast<const char*>(data), size}; }

/// Writes the chain's text if it fits; 0 if not.
std::size_t put(const Chain& chain, std::uint8_t* data, std::size_t max_size) {
  const std::string text = print(chain);
  if (text.size() > max_size) return 0;
  std::memcpy(data, text.data(), text.size());
  return text.size();
}

/// The first reduction candidate that fits: what `-minimize_crash` asks for when Size > MaxSize.
std::size_t put_smaller(const Chain& chain, std::uint8_t* data, std::size_t max_size, Choices& choices) {
  for (int attempt = 0; attempt < 20; ++attempt) {
    const Pass& pass = passes()[choices.below(passes().size())];
    std::uint64_t skip = choices.below(4);
    std::size_t size = 0;
    pass.candidates(chain, [&](Chain&& candidate) {
      if (skip > 0 && skip--) return false;
      return (size = put(candidate, data, max_size)) > 0;
    });
    if (size > 0) return size;
  }
  return put(chain, data, max_size);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) try {
  const char* corpus = std::getenv("GRADSMITH_CORPUS");
  // Known issues are judged in processes of their own, so this comes before LibTorch is set up here.
  if (const char* lanes = std::getenv("GRADSMITH_LANES")) plan().lanes = lanes_in(lanes, "GRADSMITH_LANES");
  for (const auto& [signature, issue] : learn_known(corpus ? corpus : "corpus", plan()).issues) known().insert(signature);
  prepare(plan());
  return 0;
} catch (const UsageError& error) {
  std::fprintf(stderr, "%s\n", error.message.c_str());
  std::exit(exit_usage);
} catch (const EnvironmentError& error) {
  std::fprintf(stderr, "%s\n", error.message.c_str());
  std::exit(exit_missing);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parsed = parse(as_text(data, size));
  const auto* chain = std::get_if<Chain>(&parsed);
  if (!chain) return -1;
  const Verdict verdict = judge(*chain, plan());
  if (verdict.status != Status::finding) return 0;
  const std::string signature = verdict.signature.text();
  if (known().contains(signature)) return 0;
  std::fprintf(stderr, "DEDUP_TOKEN: %s\n", signature.c_str());
  for (const LaneRemark& remark : verdict.remarks)
    std::fprintf(stderr, "lane %s: %s\n", std::string(lane_name(remark.lane)).c_str(), remark.words.c_str());
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
  Choices choices(seed);
  const auto parsed = parse(as_text(data, size));
  const auto* chain = std::get_if<Chain>(&parsed);
  if (chain && size > max_size) return put_smaller(*chain, data, max_size, choices);
  if (chain && !choices.chance(5))
    if (const std::size_t written = put(mutate(*chain, choices), data, max_size)) return written;
  Choices from_bytes{std::span<const std::uint8_t>(data, size)};
  const std::size_t written = put(chain ? generate(choices) : generate(from_bytes), data, max_size);
  return written > 0 ? written : std::max<std::size_t>(1, std::min(size, max_size));  // too long a chain: unchanged
}
