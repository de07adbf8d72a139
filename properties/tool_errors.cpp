// LibTorch's error texts: every id that the table or the model can predict is recognised in LibTorch's own words.
#include <gtest/gtest.h>

#include <set>

#include "harness/execute.hpp"
#include "harness/expect.hpp"
#include "harness/files.hpp"
#include "harness/judge.hpp"
#include "properties/chains.hpp"

namespace gradsmith {
namespace {

std::optional<Refusal> refusal_of(const Chain& chain) {
  std::vector<Value> roots;
  const auto typed = type_chain(chain);
  if (!std::holds_alternative<Typed>(typed)) return std::nullopt;
  expect(chain, std::get<Typed>(typed), &roots);
  return execute(chain, roots).refusal;
}

/// "E5 backward 1" of "refused E5 backward 1".
std::string expected_id(const Chain& chain) {
  const std::string expected = header(chain, "expect").value_or("");
  constexpr std::string_view start = "refused ";
  if (!expected.starts_with(start)) return {};
  return expected.substr(start.size(), expected.find(' ', start.size()) - start.size());
}

class ErrorTexts : public testing::Test {
 protected:
  static void SetUpTestSuite() { initialize_libtorch(); }
};

TEST_F(ErrorTexts, Of_every_seed_are_recognised_and_hold_their_fragment) {
  std::set<std::string> seen;
  for (const std::string& file : chain_files({GRADSMITH_SOURCE_DIR "/corpus/seeds"})) {
    const auto loaded = load_chain(file);
    ASSERT_TRUE(std::holds_alternative<Chain>(loaded)) << std::get<std::string>(loaded);
    const Chain& chain = std::get<Chain>(loaded);
    const std::string id = expected_id(chain);
    if (id.empty()) continue;
    const auto refusal = refusal_of(chain);
    ASSERT_TRUE(refusal) << file;
    EXPECT_EQ(refusal->id, id) << file << "\n" << refusal->message;
    seen.insert(id);
  }
  for (const auto* id : {"E1",  "E2",  "E5",  "E6",  "E8",  "E8i", "E9",  "E10", "E11", "E11i", "E13", "E14", "E16",
                         "E17", "E18", "E19", "E20", "E21", "E22", "E23", "E24", "E28", "E29",  "E30", "E31"}) {
    EXPECT_TRUE(seen.contains(id)) << id << ": no seed shows it";
    EXPECT_FALSE(error_fragment(id).empty()) << id;
  }
}

TEST_F(ErrorTexts, Of_every_refused_argument_are_recognised) {
  const struct {
    const char *id, *steps;
  } cases[] = {
      {"E24", "v = celu(a, alpha=0)"},
      {"E24", "v = gelu(a, approximate=\"unknown\")"},
      {"E24", "v = glu(a, dim=1)"},
      {"E24", "v = rrelu(a, lower=2, upper=1)"},
      {"E21", "h = clone(a)\nelu_(h, alpha=-1)"},
      {"E21", "h = clone(a)\ncelu_(h, alpha=-1)"},
      {"E22", "h = clone(a)\nleaky_relu_(h, negative_slope=-1)"},
      {"E23", "h = clone(a)\nasinh_(h)"},
      {"E19", "b = input f64[2]\nv = add(a, b)"},
      {"E18", "b = input f64[2, 2, 3]\nh = clone(a)\nadd_(h, b)"},
      {"E20", "i = input i64[2, 3] values=[1, 2, 3, 4, 5, 6]\nmul_(i, a)"},
      {"E41", "b = input f32[3, 2]\nv = mm(a, b)"},
      {"E41", "b = input f32[3]\nv = matmul(a, b)"},
      {"E41", "b = input f32[2]\nc = input f64[2]\nv = matmul(b, c)"},
      {"E41", "b = input f16[2, 3]\nv = lerp(a, b, 0.5)"},
      {"E41", "b = input bf16[2, 3]\nv = lerp(a, a, b)"},
      {"E41", "b = input f32[1]\nv = prelu(a, b)"},
  };
  for (const auto& one : cases) {
    const std::string text = std::string("gradsmith 1\na = input f64[2, 3] requires_grad\n") + one.steps + "\n";
    const Chain chain = parse_or_die(text);
    const auto refusal = refusal_of(chain);
    ASSERT_TRUE(refusal) << text;
    EXPECT_EQ(refusal->id, one.id) << text << refusal->message;
    EXPECT_NE(judge(chain).status, Status::finding) << text;
  }
}

}  // namespace
}  // namespace gradsmith
