#include "fuzz/mutator.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "harness/decode.hpp"
#include "harness/generate.hpp"
#include "harness/mutate.hpp"
#include "harness/parse.hpp"
#include "harness/print.hpp"
#include "harness/reduce.hpp"
#include "harness/reference.hpp"
#include "harness/retype.hpp"

namespace gradsmith {

/// A reduction candidate that fits.
static std::size_t put_smaller(const Chain& chain, std::uint8_t* data, std::size_t max_size, Choices& choices) {
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

Chain chain_of(const std::uint8_t* data, std::size_t size) {
  auto parsed = parse({reinterpret_cast<const char*>(data), size});
  if (auto* chain = std::get_if<Chain>(&parsed)) return std::move(*chain);
  return decode({data, size});
}

std::size_t put(const Chain& chain, std::uint8_t* data, std::size_t max_size) {
  const std::string text = print(chain);
  if (text.size() > max_size) return 0;
  std::memcpy(data, text.data(), text.size());
  return text.size();
}

std::size_t mutate_text(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed, const Knobs& knobs) {
  Choices choices(seed);
  const Chain chain = chain_of(data, size);
  if (size > max_size) {
    const std::size_t written = put_smaller(chain, data, max_size, choices);
    return written > 0 ? written : std::max<std::size_t>(1, max_size);  // nothing fits: no chain any more, and rejected
  }
  const bool fresh = step_count(chain) == 0 || choices.chance(33);  // a chain of its own
  Chain changed = fresh ? generate(choices, knobs) : mutate(chain, choices);
  // Pieces of chains of other types come in: a chain has one floating type unless they are to mix.
  if (!knobs.mixed)
    changed = in_type(std::move(changed), knobs.dtype != DType::f64 ? knobs.dtype : floating_type(changed));
  else if (types_of(changed).size() < 2 || choices.chance(15))
    changed = mutate_types(changed, choices);
  const std::size_t written = put(changed, data, max_size);
  return written > 0 ? written : std::max<std::size_t>(1, size);  // too long: unchanged
}

}  // namespace gradsmith
