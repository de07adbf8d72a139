#include "fuzz/counters.hpp"

#include <cstddef>
#include <cstdint>

// Of the engine; absent where the target is linked with the replay main.
extern "C" {
__attribute__((weak)) void __sanitizer_cov_8bit_counters_init(std::uint8_t* begin, std::uint8_t* end);
__attribute__((weak)) void __sanitizer_cov_pcs_init(const std::uintptr_t* begin, const std::uintptr_t* end);
}

namespace gradsmith {
namespace {

constexpr std::size_t always = counter_count;  // set by every input: an engine drops inputs that set none
std::uint8_t counters[counter_count + 1];

struct Place {
  std::uintptr_t address;
  std::uintptr_t flags;  // 1 would be a function's entry, which the engine prints
};
Place places[counter_count + 1];

}  // namespace

void register_counters() {
  if (!__sanitizer_cov_8bit_counters_init || !__sanitizer_cov_pcs_init) return;
  for (std::size_t i = 0; i < counter_count + 1; ++i) places[i] = {reinterpret_cast<std::uintptr_t>(&counters[i]), 0};
  __sanitizer_cov_8bit_counters_init(counters, counters + counter_count + 1);
  __sanitizer_cov_pcs_init(&places[0].address, &places[0].address + 2 * (counter_count + 1));
}

void publish(const Reached& reached) {
  counters[always] = 1;
  for (const std::uint32_t index : reached.counters())
    if (guides(domain_of(index))) counters[index] = level_byte(reached.level(index));
}

}  // namespace gradsmith
