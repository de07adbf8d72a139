// The chain language: what is read, what is written, and that both agree. Errors are in tool_language_errors.cpp.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>

#include "harness/choices.hpp"
#include "harness/op.hpp"
#include "harness/print.hpp"
#include "properties/chains.hpp"

namespace gradsmith {
namespace {

const std::string magic = "gradsmith 1\n";

/// What `fmt` makes of a body without its first line.
std::string canonical(const std::string& body) { return print(parse_or_die(magic + body)).substr(magic.size()); }

const std::string sample = R"(gradsmith 1
# sqrt keeps its result for backward; sigmoid_ overwrites it
# expect: refused E5 backward
a = input f64[2, 3] requires_grad values=uniform(0.5, 2, 7)
b = input f64[3] values=[1.5, -1, 0.5]
v1 = sqrt(a)
sigmoid_(v1)
no_grad {
  add_(b, 2)
}
v2 = mul(v1, b)
v3 = narrow(v2, dim=1, start=0, length=2)
backward(v2, v3, cotangent=normal(5))
)";

TEST(Language, The_sample_chain_is_read_as_it_stands) {
  const Chain chain = parse_or_die(sample);
  EXPECT_EQ(chain.names, (std::vector<std::string>{"a", "b", "v1", "v2", "v3"}));
  ASSERT_EQ(chain.statements.size(), 10u);
  const auto& a = std::get<Input>(chain.statements[0]);
  EXPECT_EQ(a, (Input{.name = 0,
                      .dtype = DType::f64,
                      .shape = {2, 3},
                      .requires_grad = true,
                      .values = {.kind = Spec::Kind::uniform, .seed = 7, .lo = 0.5, .hi = 2}}));
  const auto& sigmoid = std::get<Step>(chain.statements[3]);
  EXPECT_EQ(sigmoid, (Step{.op = find_op("sigmoid"), .inplace = true, .args = {Ref{2}}}));
  const auto& add = std::get<Step>(chain.statements[5]);
  EXPECT_EQ(add.args[0], Argument(Ref{1}));
  EXPECT_EQ(add.args[1], Argument(2.0));
  EXPECT_EQ(add.args.size(), add.op->params.size());
  EXPECT_EQ(std::get<Backward>(chain.statements[9]),
            (Backward{.roots = {3, 4}, .cotangent = Spec{.kind = Spec::Kind::normal, .seed = 5}}));
  EXPECT_EQ(step_count(chain), 5);
  EXPECT_TRUE(has_backward(chain));
}

TEST(Language, Canonical_text_is_written_back_byte_for_byte) {
  const std::vector<std::string> texts = {
      magic,
      sample,
      magic + "a = input f64[]\nv1 = relu(a)\n",
      magic + "a = input f32[0, 3] requires_grad values=[]\nv1 = sum(a, dim=[0])\n",
      magic + "a = input f64[2, 2] strides=[0, 1] offset=3 values=[1, 2, 1, 2]\nv1 = clone(a)\n",
      magic + "a = input f64[4] requires_grad values=[inf, -inf, nan, -0]\nv1 = exp(a)\n",
      magic + "a = input bf16[3] values=edges(18446744073709551615)\nv1 = neg(a)\n",
      magic +
          "a = input f64[2, 3] requires_grad\nv1 = gelu(a, approximate=\"tanh\")\nv2 = clamp(v1, max=1)\n"
          "v3 = clamp(v2, min=0, max=1)\nv4 = pow(v3, 2)\nv5 = sum(v4, dim=[0, 1], keepdim=true)\n",
      magic + "a = input f64[4]\np, _ = split(a, split_size=2)\n_ = relu(p)\nmul_(p, 2)\n",
      magic +
          "a = input f64[2] requires_grad\nb = exp(a)\ng, h = backward(b, wrt=[a, b], cotangent=[1, 2], create_graph)\n"
          "backward(g, cotangent=normal(0), retain_graph, may_fail)\n",
      magic +
          "a = input f64[2] requires_grad\nb = mul(a, 2)\nno_grad {\n  inference {\n    c = exp(b)\n  }\n"
          "  d = exp(b)\n}\nbackward(d, wrt=[a])\n",
      magic +
          "a = input f64[2]\nm = input bool[2] values=[0, 1]\nn = input i64[2] values=[-3, 9007199254740992]\n"
          "masked_fill_(a, m, 0.5)\nb = add(a, n)\n",
  };
  for (const std::string& text : texts) {
    EXPECT_EQ(print(parse_or_die(text)), text);
    EXPECT_TRUE(parse_or_die(print(parse_or_die(text))) == parse_or_die(text)) << text;
  }
}

TEST(Language, Every_stored_chain_survives_a_round_trip) {
  int count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(GRADSMITH_SOURCE_DIR "/corpus")) {
    if (entry.path().extension() != ".chain") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const Chain chain = parse_or_die(text);
    const std::string written = print(chain);
    EXPECT_TRUE(parse_or_die(written) == chain) << entry.path();
    EXPECT_EQ(print(parse_or_die(written)), written) << entry.path();
    ++count;
  }
  EXPECT_GT(count, 0);
}

TEST(Language, Every_chain_in_the_description_is_canonical) {
  std::ifstream file(GRADSMITH_SOURCE_DIR "/corpus/README.md", std::ios::binary);
  const std::string page(std::istreambuf_iterator<char>(file), {});
  int count = 0;
  for (auto at = page.find("```\n" + magic); at != std::string::npos; at = page.find("```\n" + magic, at)) {
    const auto end = page.find("```", at + 4);
    const std::string text = page.substr(at + 4, end - at - 4);
    EXPECT_EQ(print(parse_or_die(text)), text);
    ++count;
    at = end + 3;
  }
  EXPECT_GE(count, 3);
}

TEST(Language, Formatting_settles_on_one_spelling) {
  const std::string inputs = "a = input f64[2, 2]\n";
  EXPECT_EQ(canonical("  a=input f64 [ 2,2 ]   values = normal( 0 )\t"), inputs);
  EXPECT_EQ(canonical("a = input f64[2, 2] values=[0x1.8p+0, -0x1p-1, 1e2, 1E-7]"),
            "a = input f64[2, 2] values=[1.5, -0.5, 100, 1e-07]\n");
  EXPECT_EQ(canonical("a = input f64[2, 2] offset=0 values=edges(3) requires_grad"),
            "a = input f64[2, 2] requires_grad values=edges(3)\n");
  EXPECT_EQ(canonical(inputs + "b = narrow(a, 0, 1, 1)"), inputs + "b = narrow(a, dim=0, start=1, length=1)\n");
  EXPECT_EQ(canonical(inputs + "b = narrow(a, length=1, start=1, dim=0)"),
            inputs + "b = narrow(a, dim=0, start=1, length=1)\n");
  EXPECT_EQ(canonical(inputs + "b = sum(a, dim=1, keepdim=false)"), inputs + "b = sum(a, dim=[1])\n");
  EXPECT_EQ(canonical(inputs + "b = mul(a, other=a)"), inputs + "b = mul(a, a)\n");
  EXPECT_EQ(canonical(inputs + "b = mul(other=3, self=a)"), inputs + "b = mul(a, 3)\n");
  EXPECT_EQ(canonical(inputs + "b = clamp(a, 0, 1)"), inputs + "b = clamp(a, min=0, max=1)\n");
  EXPECT_EQ(canonical(inputs + "b = clamp(a, min=none, max=a)"), inputs + "b = clamp(a, max=a)\n");
  EXPECT_EQ(canonical(inputs + "b = clamp(a, a, max=a)"), inputs + "b = clamp(a, a, a)\n");
  EXPECT_EQ(canonical(inputs + "backward(a, may_fail, cotangent=normal(1), create_graph, wrt=[a])"),
            inputs + "backward(a, wrt=[a], cotangent=normal(1), create_graph, may_fail)\n");
}

TEST(Language, Line_ends_and_a_missing_last_one_do_not_matter) {
  const Chain unix_ends = parse_or_die("gradsmith 1\na = input f64[2]\nrelu_(a)\n");
  EXPECT_TRUE(parse_or_die("gradsmith 1\r\na = input f64[2]\r\nrelu_(a)\r\n") == unix_ends);
  EXPECT_TRUE(parse_or_die("gradsmith 1\n\n\na = input f64[2]\n\t\nrelu_(a)") == unix_ends);
}

TEST(Language, Comments_are_kept_where_they_stand) {
  const std::string text =
      magic +
      "#expect: pass\n#\n# ünïcode, with  spaces \na = input f64[2] # of a\n#  later\nno_grad { # region\n"
      "# inside\nrelu_(a)#write\n# last inside\n} # over\n# end";
  const std::string expected =
      magic +
      "# expect: pass\n#\n# ünïcode, with  spaces\na = input f64[2]  # of a\n#  later\nno_grad {  # region\n"
      "  # inside\n  relu_(a)  # write\n  # last inside\n}  # over\n# end\n";
  EXPECT_EQ(print(parse_or_die(text)), expected);
  EXPECT_EQ(print(parse_or_die(expected)), expected);
  EXPECT_TRUE(parse_or_die(text) == parse_or_die(magic + "a = input f64[2]\nno_grad {\nrelu_(a)\n}\n"));
}

TEST(Language, Header_keys_are_found_by_name_in_the_header_alone) {
  const Chain chain = parse_or_die(magic +
                                   "# expect:  refused E5 backward \n# known:\n# links: no\n# link: https://x/y:z\n"
                                   "a = input f64[2]\n# since: 2\nrelu_(a)\n");
  EXPECT_EQ(header(chain, "expect"), "refused E5 backward");
  EXPECT_EQ(header(chain, "known"), "");
  EXPECT_EQ(header(chain, "link"), "https://x/y:z");
  EXPECT_EQ(header(chain, "since"), std::nullopt);
}

TEST(Language, Equality_goes_by_names_and_by_spelling_of_numbers) {
  const Chain chain = parse_or_die(magic + "a = input f64[1] values=[nan]\nb = relu(a)\n");
  Chain renumbered = chain;
  renumbered.names = {"unused", "b", "a"};
  std::get<Input>(renumbered.statements[0]).name = 2;
  std::get<Step>(renumbered.statements[1]).args[0] = Ref{2};
  std::get<Step>(renumbered.statements[1]).results = {1};
  EXPECT_TRUE(renumbered == chain);
  EXPECT_FALSE(parse_or_die(magic + "a = input f64[1] values=[nan]\nc = relu(a)\n") == chain);
  EXPECT_FALSE(parse_or_die(magic + "a = input f64[1] values=[-0]\n") ==
               parse_or_die(magic + "a = input f64[1] values=[0]\n"));
}

TEST(Language, Words_before_an_equals_sign_are_names_of_arguments) {
  EXPECT_EQ(error_of(magic + "a = input f64[1]\nb = relu(a, nan=0)\n"),
            "3:13: relu has no argument \"nan\"; expected relu(self)");
}

TEST(Language, Printed_numbers_read_back_as_the_same_double) {
  EXPECT_EQ(print_number(0), "0");
  EXPECT_EQ(print_number(-0.0), "-0");
  EXPECT_EQ(print_number(100000), "100000");
  EXPECT_EQ(print_number(-999999999999999), "-999999999999999");
  EXPECT_EQ(print_number(1e15), "1e+15");
  EXPECT_EQ(print_number(0.1), "0.1");
  EXPECT_EQ(print_number(5e-324), "5e-324");
  EXPECT_EQ(print_number(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(print_number(-std::numeric_limits<double>::infinity()), "-inf");
  EXPECT_EQ(print_number(std::nan("")), "nan");
  Choices choices(std::uint64_t{1});
  for (int i = 0; i < 2000; ++i) {
    const auto value = std::bit_cast<double>(choices.bits());
    const std::string text = magic + "a = input f64[] values=[" + print_number(value) + "]\n";
    const Chain chain = parse_or_die(text);
    EXPECT_TRUE(same_argument(std::get<Input>(chain.statements[0]).values.list[0], value)) << text;
  }
}

TEST(Language, Lists_of_tensors_dtypes_and_out_are_printed_in_schema_order) {
  const Op cat{.name = "cat",
               .params = {{.name = "tensors", .kind = Kind::tensors},
                          {.name = "dim", .kind = Kind::integer, .optional = true, .preset = 0.0},
                          {.name = "dtype", .kind = Kind::dtype, .optional = true},
                          {.name = "out", .kind = Kind::tensor, .optional = true}}};
  const Chain chain{.names = {"x", "y", "z"}};
  EXPECT_EQ(print(chain, Step{&cat, false, {std::vector<Ref>{{0}, {1}}, 0.0, None{}, None{}}, {2}}), "z = cat([x, y])");
  EXPECT_EQ(print(chain, Step{&cat, false, {std::vector<Ref>{{0}}, 1.0, DType::bf16, Ref{1}}, {dropped}}),
            "_ = cat([x], dim=1, dtype=bf16, out=y)");
}

}  // namespace
}  // namespace gradsmith
