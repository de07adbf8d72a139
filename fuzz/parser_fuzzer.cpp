// The parser on arbitrary bytes: never crashes, and what it accepts prints to a text that parses to the same chain.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "harness/parse.hpp"
#include "harness/print.hpp"

extern "C" int LLVMFuzzerInitialize(int*, char***) { return 0; }

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gradsmith;
  const auto first = parse({reinterpret_cast<const char*>(data), size});
  const auto* chain = std::get_if<Chain>(&first);
  if (!chain) return 0;
  const std::string text = print(*chain);
  const auto second = parse(text);
  const auto* again = std::get_if<Chain>(&second);
  if (!again || !(*again == *chain) || print(*again) != text) {
    std::fprintf(stderr, "round trip broken:\n%s\n", text.c_str());
    std::abort();
  }
  return 0;
}
