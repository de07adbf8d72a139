// The limits of a chain file, and that no text whatever breaks the parser.
#include <gtest/gtest.h>

#include "harness/choices.hpp"
#include "harness/print.hpp"
#include "properties/chains.hpp"

namespace gradsmith {
namespace {

const std::string magic = "gradsmith 1\n";

TEST(Language_limits, Are_exact_and_checked_before_anything_is_allocated) {
  const std::string too_many = "the inputs take more than 1048576 elements in all; expected no more";
  expect_errors(magic,
                {
                    {"a = input f64[1048576] values=normal(1)\n", "valid"},
                    {"a = input f64[1048577]\n", "2:14: " + too_many},
                    {"a = input f64[1024, 1025]\n", "2:14: " + too_many},
                    {"a = input f64[9007199254740992, 9007199254740992, 9007199254740992]\n", "2:14: " + too_many},
                    {"a = input f64[0, 9007199254740992, 9007199254740992]\n", "2:14: " + too_many},
                    {"a = input f64[1048576] strides=[0]\n", "valid"},
                    {"a = input f64[2] strides=[1048575]\n", "valid"},
                    {"a = input f64[2] strides=[1048576]\n", "2:18: " + too_many},
                    {"a = input f64[2, 2] strides=[9007199254740992, 9007199254740992]\n", "2:21: " + too_many},
                    {"a = input f64[1] offset=1048575\n", "valid"},
                    {"a = input f64[1] offset=1048576\n", "2:18: " + too_many},
                    {"a = input f64[1] offset=9007199254740992\n", "2:18: " + too_many},
                    {"a = input f64[524288]\nb = input f64[524289]\n", "3:14: " + too_many},
                    {"a = input f64[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n",
                     "2:63: more than 16 dimensions; expected no more"},
                });
  std::string text = magic + "a = input f64[1]\n";
  for (int i = 1; i < 4096; ++i) text += "relu_(a)\n";
  EXPECT_EQ(error_of(text), "valid");
  EXPECT_EQ(error_of(text + "relu_(a)\n"), "4098:1: more than 4096 statements; expected no more");

  std::string large = magic + "# ";
  large.resize((1u << 20) - 1, 'x');
  large += '\n';
  EXPECT_EQ(error_of(large), "valid");
  EXPECT_EQ(error_of(large + "x"), "1:1: the file has 1048577 bytes; at most 1048576 are allowed");
}

TEST(Language_limits, Deep_regions_and_long_lists_do_not_exhaust_the_stack) {
  const auto nested = [](int depth) {
    std::string text = magic;
    for (int i = 0; i < depth; ++i) text += "no_grad {\n";
    for (int i = 0; i < depth; ++i) text += "}\n";
    return text;
  };
  const Chain chain = parse_or_die(nested(64));
  EXPECT_TRUE(parse_or_die(print(chain)) == chain);
  EXPECT_EQ(error_of(nested(65)), "66:1: more than 64 regions inside each other; expected no more");
  EXPECT_EQ(error_of(magic + "a = input f64" + std::string(500000, '[')), "2:15: expected a number, found \"[\"");
  EXPECT_EQ(error_of(magic + std::string(500000, '(')), "2:1: expected a statement, found \"(\"");
}

TEST(Language_limits, What_is_read_can_be_written_and_read_again) {
  std::string text = magic + "a=input f64[150000] values=[9e14";
  for (int i = 1; i < 150000; ++i) text += ",9e14";
  EXPECT_EQ(error_of(text + "]"), "1:1: the canonical form of this file has more than 1048576 bytes; expected no more");
  std::string fits = magic + "a=input f64[50000] values=[9e14";
  for (int i = 1; i < 50000; ++i) fits += ",9e14";
  const Chain chain = parse_or_die(fits + "]");
  EXPECT_TRUE(parse_or_die(print(chain)) == chain);
}

TEST(Language_limits, No_mutation_of_a_valid_text_breaks_the_parser) {
  const std::string valid =
      magic +
      "abc = input f64[2, 2]\n"
      "b = input bf16[3, 2] requires_grad strides=[1, 3] offset=2 values=uniform(-1, 0x1.8p+0, 3)\n"
      "m = input bool[2] values=[1, 0]\n# note\nv1 = clamp(abc, min=-1, max=inf)\n"
      "p, _ = split(v1, split_size=1, dim=0)\nno_grad {\n  masked_fill_(v1, m, nan)\n}\n"
      "v2 = gelu(b, approximate=\"tanh\")\nv3 = sum(v2, dim=[0, 1], keepdim=true)\n"
      "g = backward(v3, wrt=[b], cotangent=[2], retain_graph, create_graph)\n";
  ASSERT_EQ(error_of(valid), "valid");
  const std::vector<std::string> pieces = {
      "=",    ",",  "(",     ")",         "[",     "]",         "{",       "}",     "\"",
      "#",    "\n", "-",     "_",         "nan",   "inf",       "none",    "1e308", "9007199254740992",
      "abc",  "v1", "relu_", "no_grad {", "input", "backward(", "values=", "wrt=[", std::string(1, '\0'),
      "\xc3", "\r"};
  Choices choices(std::uint64_t{20});
  int still_valid = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text = valid;
    for (auto edits = choices.between(1, 4); edits > 0 && !text.empty(); --edits) {
      const auto at = choices.below(text.size());
      switch (choices.below(4)) {
        case 0:
          text.erase(at, choices.between(1, 12));
          break;
        case 1:
          text.insert(at, choices.pick(pieces));
          break;
        case 2:
          text[at] = static_cast<char>(choices.below(256));
          break;
        default: {
          const auto length = choices.below(20), from = choices.below(text.size());
          text.insert(at, text.substr(from, length));
          break;
        }
      }
    }
    const auto parsed = parse(text);
    if (const auto* error = std::get_if<ParseError>(&parsed)) {
      ASSERT_GE(error->line, 1);
      ASSERT_GE(error->column, 1);
      ASSERT_FALSE(error->message.empty()) << text;
      ASSERT_EQ(error->message.find('\n'), std::string::npos) << error->message;
      continue;
    }
    ++still_valid;
    const Chain& chain = std::get<Chain>(parsed);
    const std::string written = print(chain);
    ASSERT_TRUE(parse_or_die(written) == chain) << text;
    ASSERT_EQ(print(parse_or_die(written)), written) << text;
  }
  EXPECT_GT(still_valid, 200);
}

}  // namespace
}  // namespace gradsmith
