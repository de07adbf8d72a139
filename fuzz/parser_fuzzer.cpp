// The readers of foreign bytes: the byte decoder on what begins with a byte that is not ASCII, the parser on the rest. Neither ever
// crashes, and a chain that they give prints to a text that parses to the same chain.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "harness/decode.hpp"
#include "harness/parse.hpp"
#include "harness/print.hpp"

namespace {

using namespace gradsmith;

void check_round_trip(const Chain& chain) {
  const std::string text = print(chain);
  const auto second = parse(text);
  const auto* again = std::get_if<Chain>(&second);
  if (again && *again == chain && print(*again) == text) return;
  std::fprintf(stderr, "round trip broken:\n%s\n", text.c_str());
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) { return 0; }

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 0 && data[0] >= 0x80) {
    check_round_trip(decode({data + 1, size - 1}));
    return 0;
  }
  const auto parsed = parse({reinterpret_cast<const char*>(data), size});
  if (const auto* chain = std::get_if<Chain>(&parsed)) check_round_trip(*chain);
  return 0;
}
