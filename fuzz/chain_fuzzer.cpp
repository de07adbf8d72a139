// The libFuzzer target: a chain in, a verdict out (worker.hpp says what becomes of findings). Bytes that are no chain
// become one through the generator, whose choices they are, when mutated; as inputs they are rejected.
#include <cstdint>
#include <cstring>
#include <algorithm>
#include <span>
#include <string>

#include "fuzz/worker.hpp"
#include "harness/generate.hpp"
#include "harness/mutate.hpp"
#include "harness/parse.hpp"
#include "harness/print.hpp"
#include "harness/reduce.hpp"

namespace {

using namespace gradsmith;

FuzzWorker& worker() {
  static FuzzWorker one;
  return one;
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

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  prepare(worker().plan());
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  worker().begin(as_text(data, size));
  const auto parsed = parse(as_text(data, size));
  const auto* chain = std::get_if<Chain>(&parsed);
  if (chain) worker().judge(*chain);
  worker().end();
  return chain ? 0 : -1;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed) {
  Choices choices(seed);
  const auto parsed = parse(as_text(data, size));
  const auto* chain = std::get_if<Chain>(&parsed);
  if (chain && size > max_size) return put_smaller(*chain, data, max_size, choices);
  if (chain && !choices.chance(5))
    if (const std::size_t written = put(mutate(*chain, choices), data, max_size)) return written;
  Choices from_bytes{std::span<const std::uint8_t>(data, size)};
  const std::size_t written = put(chain ? generate(choices, worker().knobs()) : generate(from_bytes, worker().knobs()), data, max_size);
  return written > 0 ? written : std::max<std::size_t>(1, std::min(size, max_size));  // too long a chain: unchanged
}
