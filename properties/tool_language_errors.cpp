// What is no chain: every message with its place. Limits are in tool_language_limits.cpp.
#include <gtest/gtest.h>

#include "properties/chains.hpp"

namespace gradsmith {
namespace {

const std::string magic = "gradsmith 1\n";
const std::string inputs = magic + "abc = input f64[2, 2]\n";  // what follows stands in line 3

TEST(Language_errors, Name_file_line_column_and_what_was_expected) {
  EXPECT_EQ(format_error("seeds/exp.chain", {4, 1, "unknown op \"sigmod_\"; nearest: \"sigmoid_\""}),
            "seeds/exp.chain:4:1: unknown op \"sigmod_\"; nearest: \"sigmoid_\"");
}

TEST(Language_errors, Files_that_are_no_chain_files) {
  expect_errors(
      "", {
              {"", "1:1: the file is empty; expected \"gradsmith 1\" as its first line"},
              {"\n", "1:1: expected \"gradsmith 1\" as the first line"},
              {"a = input f64[2]\n", "1:1: expected \"gradsmith 1\" as the first line"},
              {"# gradsmith 1\n", "1:1: expected \"gradsmith 1\" as the first line"},
              {"gradsmith 2\n", "1:11: unknown version \"2\"; expected \"gradsmith 1\""},
              {"\xef\xbb\xbfgradsmith 1\n", "1:1: the file starts with a byte order mark; expected UTF-8 without one"},
              {"gradsmith 1\n# \xff\n", "2:3: byte 0xff is not UTF-8; expected UTF-8 text"},
              {"gradsmith 1\n# \xc0\x80\n", "2:3: byte 0xc0 is not UTF-8; expected UTF-8 text"},
              {"gradsmith 1\n# \xed\xa0\x80\n", "2:3: byte 0xed is not UTF-8; expected UTF-8 text"},
              {"gradsmith 1\n# \xe2\x82", "2:3: byte 0xe2 is not UTF-8; expected UTF-8 text"},
              {std::string("gradsmith 1\n#\0\n", 15), "2:2: control character 0x00; expected text"},
              {"gradsmith 1\n\x1b[0m\n", "2:1: control character 0x1b; expected text"},
              {"gradsmith 1\rx\n", "1:12: control character 0x0d; expected text"},
          });
}

TEST(Language_errors, Words_that_cannot_stand_where_they_do) {
  expect_errors(
      inputs,
      {
          {"v = relu(abc) $\n", "3:15: unexpected character \"$\"; expected a name, a number or punctuation"},
          {"v = relu(\xc3\xa4)\n",
           "3:10: only comments may hold characters outside ASCII; expected a name, a number or punctuation"},
          {"v = relu(abc) abc\n", "3:15: expected end of line, found \"abc\""},
          {"v relu(abc)\n", "3:3: expected \"=\" or \"(\", found \"relu\""},
          {"v = 3\n", "3:5: expected an op, input or backward, found \"3\""},
          {"v = \n", "3:5: expected an op, input or backward, found end of line"},
          {"v = relu\n", "3:9: expected \"(\", found end of line"},
          {"v = relu(abc\n", "3:13: expected \",\" or \")\", found end of line"},
          {"v, 1 = relu(abc)\n", "3:4: expected a name, found \"1\""},
          {"(abc)\n", "3:1: expected a statement, found \"(\""},
          {"v = gelu(abc, approximate=\"tanh)\n", "3:27: this string is never closed; expected \""},
          {"v = mul(abc, 1x)\n", "3:14: \"1x\" is no number; expected one like -1, 0.5, 1e-5, 0x1.8p+0, inf or nan"},
          {"v = mul(abc, 0xinf)\n",
           "3:14: \"0xinf\" is no number; expected one like -1, 0.5, 1e-5, 0x1.8p+0, inf or nan"},
          {"v = mul(abc, 1e999)\n", "3:14: \"1e999\" is out of range; expected a 64-bit floating-point number"},
          {"v = " + std::string(256, 'x') + "(abc)\n", "3:5: this word is too long; expected at most 255 characters"},
      });
}

TEST(Language_errors, Names) {
  expect_errors(inputs, {
                            {"v = relu(abd)\n", "3:10: undefined name \"abd\"; nearest: \"abc\""},
                            {"abc = relu(abc)\n", "3:1: \"abc\" is defined already, in line 2; expected a new name"},
                            {"p, p = split(abc, split_size=1)\n",
                             "3:4: \"p\" is defined already, in line 3; expected a new name"},
                            {"nan = relu(abc)\n", "3:1: \"nan\" is a keyword; expected a name"},
                            {"f64 = input f64[2]\n", "3:1: \"f64\" is a keyword; expected a name"},
                            {"_v = relu(abc)\n", "3:1: expected a name that starts with a letter, found \"_v\""},
                            {"v = relu(_)\n", "3:10: undefined name \"_\"; nearest: \"abc\""},
                            {"v = relu(v)\n", "3:10: undefined name \"v\"; nearest: \"abc\""},
                        });
  EXPECT_EQ(error_of(magic + "relu_(x)\n"), "2:7: undefined name \"x\"; expected a name defined above");
}

TEST(Language_errors, Ops_and_their_forms) {
  expect_errors(inputs, {
                            {"sigmod_(abc)\n", "3:1: unknown op \"sigmod_\"; nearest: \"sigmoid_\""},
                            {"v = sigmod(abc)\n", "3:5: unknown op \"sigmod\"; nearest: \"sigmoid\""},
                            {"narow_(abc)\n", "3:1: unknown op \"narow_\"; nearest: \"narrow\""},
                            {"narrow_(abc)\n", "3:1: op \"narrow\" has no in-place form; expected \"narrow\""},
                            {"v = relu_(abc)\n",
                             "3:1: relu_ writes its first operand and defines no name; expected relu_(...) alone"},
                            {"relu(abc)\n", "3:1: relu gives a result; expected NAME = relu(...)"},
                            {"v, w = relu(abc)\n", "3:8: relu gives 1 results, 2 names stand before it"},
                            {"v = split(abc, split_size=1)\n", "3:5: split gives 2 results, 1 names stand before it"},
                        });
}

TEST(Language_errors, Arguments) {
  expect_errors(
      inputs,
      {
          {"v = relu()\n", "3:5: argument \"self\" of relu is missing; expected relu(self)"},
          {"v = relu(abc, abc)\n", "3:15: too many operands; expected relu(self)"},
          {"v = mul(abc)\n", "3:5: argument \"other\" of mul is missing; expected mul(self, other)"},
          {"v = sigmoid(abc, inplace=true)\n", "3:18: sigmoid has no argument \"inplace\"; expected sigmoid(self)"},
          {"v = narrow(abc, dim=0.5, start=0, length=1)\n",
           "3:21: argument \"dim\" of narrow: expected an integer, found \"0.5\""},
          {"v = narrow(abc, dim=abc, start=0, length=1)\n",
           "3:21: argument \"dim\" of narrow: expected an integer, found \"abc\""},
          {"v = narrow(abc, dim=0, dim=0, length=1)\n", "3:24: argument \"dim\" of narrow is given twice"},
          {"v = sum(abc, dim=[0.5])\n", "3:19: expected an integer within 2^53, found \"0.5\""},
          {"v = sum(abc, keepdim=1)\n", "3:22: argument \"keepdim\" of sum: expected true or false, found \"1\""},
          {"v = gelu(abc, approximate=tanh)\n",
           "3:27: argument \"approximate\" of gelu: expected a string, found \"tanh\""},
          {"v = relu(3)\n", "3:10: argument \"self\" of relu: expected a tensor, found \"3\""},
          {"v = mul(abc, \"x\")\n",
           "3:14: expected a tensor or a number (attributes are written NAME=VALUE), found a string"},
          {"v = sum(abc, [0])\n",
           "3:14: expected a tensor or a number (attributes are written NAME=VALUE), found \"[\""},
          {"v = sum(abc, true)\n",
           "3:14: expected a tensor or a number (attributes are written NAME=VALUE), found \"true\""},
          {"v = mul(self=abc, 3)\n", "3:19: operands come before named arguments; expected NAME=VALUE, found \"3\""},
          {"v = mul(abc, other=none)\n",
           "3:20: argument \"other\" of mul: expected a tensor or a number, found \"none\""},
      });
}

TEST(Language_errors, Types_and_shapes_are_placed_at_the_op) {
  const std::string message = error_of(inputs + "v = narrow(abc, dim=7, start=0, length=1)\n");
  EXPECT_EQ(message.substr(0, 5), "3:5: ");
  EXPECT_NE(message.find("7"), std::string::npos) << message;
}

TEST(Language_errors, After_a_step_that_must_be_refused_only_syntax_and_names_count) {
  const std::string refused = inputs + "c = input f64[3]\nadd_(abc, c)\n";
  EXPECT_EQ(error_of(refused + "v = narrow(abc, dim=7, start=0, length=1)\n"), "valid");
  EXPECT_EQ(error_of(refused + "v = relu(w)\n"), "5:10: undefined name \"w\"; nearest: \"c\"");
  EXPECT_EQ(error_of(refused + "v = mul(abc)\n"),
            "5:5: argument \"other\" of mul is missing; expected mul(self, other)");
}

TEST(Language_errors, Inputs) {
  expect_errors(
      magic,
      {
          {"input f64[2]\n", "2:1: an input needs a name; expected NAME = input DTYPE[SHAPE]"},
          {"a, b = input f64[2]\n", "2:1: an input has one name; expected NAME = input"},
          {"a = input f8[2]\n", "2:11: unknown dtype \"f8\"; expected f64, f32, bf16, f16, i64 or bool"},
          {"a = input f64\n", "2:14: expected \"[\", found end of line"},
          {"a = input f64[-1]\n", "2:15: expected a size of at least 0, found \"-1\""},
          {"a = input f64[2.5]\n", "2:15: expected an integer within 2^53, found \"2.5\""},
          {"a = input f64[2] inplace\n",
           "2:18: unknown attribute \"inplace\" of an input; expected requires_grad, strides, offset or values"},
          {"a = input f64[2] offset=1 offset=2\n", "2:27: offset is given twice"},
          {"a = input i64[2] requires_grad\n", "2:18: i64 cannot require a gradient; expected a floating dtype"},
          {"a = input bool[2] requires_grad\n", "2:19: bool cannot require a gradient; expected a floating dtype"},
          {"a = input f64[2] strides=[-1]\n", "2:27: expected a stride of at least 0, found \"-1\""},
          {"a = input f64[2] strides=[1, 1]\n", "2:18: 2 strides for 1 dimensions; expected one each"},
          {"a = input f64[2] offset=-1\n", "2:25: expected an offset of at least 0, found \"-1\""},
          {"a = input f64[2] values=[1]\n", "2:18: expected 2 values, found 1"},
          {"a = input f64[] values=[]\n", "2:17: expected 1 value, found 0"},
          {"a = input f64[2] strides=[0] values=[1, 2]\n",
           "2:30: elements that share a storage cell are given unequal values; expected equal ones"},
          {"a = input f64[2] strides=[0] values=[0, -0]\n",
           "2:30: elements that share a storage cell are given unequal values; expected equal ones"},
          {"a = input bool[1] values=[2]\n", "2:19: the values of a bool input are 0 and 1"},
          {"a = input i64[1] values=[0.5]\n", "2:18: the values of an i64 input are integers within 2^53"},
          {"a = input i64[1] values=uniform(0, 1e300, 1)\n", "2:18: the bounds of an i64 input must lie within 2^53"},
          {"a = input f64[1] values=gauss(1)\n",
           "2:25: expected a list, normal(SEED), uniform(LO, HI, SEED) or edges(SEED), found \"gauss\""},
          {"a = input f64[1] values=normal(-1)\n",
           "2:32: expected a seed from 0 to 18446744073709551615, found \"-1\""},
          {"a = input f64[1] values=normal(18446744073709551616)\n",
           "2:32: expected a seed from 0 to 18446744073709551615, found \"18446744073709551616\""},
          {"a = input f64[1] values=uniform(1, 0, 1)\n", "2:33: expected finite bounds with LO <= HI"},
          {"a = input f64[1] values=uniform(-1e308, 1e308, 1)\n", "2:33: expected finite bounds with LO <= HI"},
          {"a = input f64[1] values=uniform(nan, 1, 1)\n", "2:33: expected finite bounds with LO <= HI"},
          {"a = input f64[1] values=[-nan]\n",
           "2:26: \"-nan\" is no number; expected one like -1, 0.5, 1e-5, 0x1.8p+0, inf or nan"},
      });
}

TEST(Language_errors, Regions) {
  expect_errors(
      inputs,
      {
          {"}\n", "3:1: \"}\" closes no region; expected a statement"},
          {"no_grad\n", "3:8: expected \"{\", found end of line"},
          {"  no_grad {\nrelu_(abc)\n", "3:3: this region is never closed; expected \"}\" on a line of its own"},
          {"no_grad {\ninference {\n}\n", "3:1: this region is never closed; expected \"}\" on a line of its own"},
          {"no_grad { relu_(abc)\n", "3:11: expected end of line, found \"relu_\""},
          {"no_grad {\nb = input f64[1]\n}\n", "4:5: an input may not stand inside a region; expected it outside"},
      });
}

TEST(Language_errors, Backward) {
  expect_errors(inputs, {
                            {"backward\n", "3:1: expected \"(\" after backward"},
                            {"backward()\n", "3:10: expected the name of a tensor, found \")\""},
                            {"backward(retain_graph)\n", "3:9: backward needs a root; expected backward(NAME, ...)"},
                            {"g = backward(abc)\n", "3:13: only a backward with wrt=[...] gives gradients a name"},
                            {"g, h = backward(abc, wrt=[abc])\n",
                             "3:16: backward gives 1 gradients, one for each tensor of wrt; 2 names stand before it"},
                            {"backward(abc, wrt=[])\n", "3:20: expected the name of a tensor, found \"]\""},
                            {"backward(abc, wrt=abc)\n", "3:19: expected a list of names in [ ], found \"abc\""},
                            {"backward(abc, keep_graph=true)\n",
                             "3:15: backward has no argument \"keep_graph\"; expected wrt, cotangent, retain_graph, "
                             "create_graph or may_fail"},
                            {"backward(abc, retain_graph, retain_graph)\n", "3:29: retain_graph is given twice"},
                            {"backward(abc, retain_graph, abc)\n",
                             "3:29: expected wrt=, cotangent=, retain_graph, create_graph or may_fail, found \"abc\""},
                            {"backward(abc, cotangent=[1])\n",
                             "3:1: expected 4 values of cotangent, one for each element of the roots, found 1"},
                            {"backward(abc, cotangent=3)\n",
                             "3:25: expected a list, normal(SEED), uniform(LO, HI, SEED) or edges(SEED), found \"3\""},
                        });
}

}  // namespace
}  // namespace gradsmith
