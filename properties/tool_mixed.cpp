// Chains of several floating types: which type a step computes in and leaves, how often numbers are rounded on the way,
// and that LibTorch agrees.
#include <gtest/gtest.h>

#include <cmath>

#include "harness/execute.hpp"
#include "harness/generate.hpp"
#include "harness/known.hpp"
#include "harness/print.hpp"
#include "harness/reduce.hpp"
#include "harness/reference.hpp"
#include "properties/chains.hpp"

namespace gradsmith {
namespace {

class MixedTypes : public testing::Test {
 protected:
  static void SetUpTestSuite() { initialize_libtorch(); }
};

Chain chain_of(const std::string& text) { return parse_or_die("gradsmith 1\n" + text); }
Verdict verdict_of(const std::string& text) { return judge(chain_of(text)); }
void expect_pass(const std::string& text) {
  const Verdict verdict = verdict_of(text);
  EXPECT_EQ(verdict.status, Status::pass) << text << verdict.reason << verdict.signature.text();
}
DType type_of_last(const std::string& text) {
  const auto typed = type_chain(chain_of(text));
  return std::get<Typed>(typed).values.back().dtype;
}

TEST_F(MixedTypes, Promote_tensors_with_dimensions_before_those_without) {
  const auto sum = [](const char* a, const char* b) {
    return type_of_last(std::string("a = input ") + a + "\nb = input " + b + "\nv1 = add(a, b)\n");
  };
  EXPECT_EQ(sum("f32[2]", "f64[2]"), DType::f64);
  EXPECT_EQ(sum("f32[2]", "f64[]"), DType::f32);
  EXPECT_EQ(sum("f32[]", "bf16[1]"), DType::bf16);
  EXPECT_EQ(sum("bf16[2]", "f16[2]"), DType::f32);
  EXPECT_EQ(sum("bf16[]", "f16[]"), DType::f32);
  EXPECT_EQ(sum("f64[]", "f16[]"), DType::f64);
}

/// Every op that takes several floating tensors, in every form, in every pair of types.
TEST_F(MixedTypes, Are_computed_and_refused_as_the_table_says_by_every_op) {
  const KnownTable known = learn_known(GRADSMITH_SOURCE_DIR "/corpus", {}, floating_types);
  for (const Op* op : all_ops()) {
    Knobs knobs;
    knobs.mixed = true;
    knobs.max_steps = 3;
    knobs.refused = knobs.regions = knobs.edges = 0;
    knobs.ops = {op, find_op("mul"), find_op("copy")};
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
      Choices choices(seed);
      const Chain chain = generate(choices, knobs);
      const Verdict verdict = judge(chain);
      if (verdict.status == Status::finding && known.issues.contains(verdict.signature.text())) continue;
      EXPECT_TRUE(verdict.status != Status::finding && verdict.status != Status::discard)
          << verdict.signature.text() << "\n" << print(chain);
    }
  }
}

TEST_F(MixedTypes, Are_refused_where_an_op_takes_one_type) {
  const auto refusal = [](const std::string& step) {
    const Verdict verdict = verdict_of(
        "a = input f64[2, 2] requires_grad\nb = input f32[2, 2]\nc = input f32[2]\nh = clone(a)\n" + step + "\n");
    EXPECT_EQ(verdict.status, Status::agreed_raise) << step << verdict.signature.text();
    return verdict.outcome.refusal ? verdict.outcome.refusal->id : "none";
  };
  for (const auto* step : {"v = mm(a, b)", "v = matmul(a, b)", "v = matmul(a, c)", "v = matmul(c, a)",
                           "v = lerp(a, b, 0.5)", "lerp_(h, b, 0.5)", "v = lerp(a, h, c)", "v = prelu(a, c)"})
    EXPECT_EQ(refusal(step), "E41") << step;
  EXPECT_EQ(
      verdict_of("a = input i64[2] values=[1, 2]\nb = input bf16[2] requires_grad\nmul_(a, b)\n").outcome.refusal->id,
      "E20");
  // addmv does not read a matrix without elements, whatever its type.
  expect_pass("a = input f64[2, 0] requires_grad\nb = input f32[0] requires_grad\nv1 = matmul(a, b)\n");
}

TEST_F(MixedTypes, Round_once_into_a_narrower_target) {
  const Chain chain = chain_of("a = input f32[1] values=[1]\nb = input f64[1] values=[1.0000000001]\nadd_(a, b)\n");
  const auto typed = type_chain(chain);
  const Reference reference = run_reference(chain, std::get<Typed>(typed), {});
  EXPECT_EQ(reference.values[0]->value[0], static_cast<double>(static_cast<float>(2.0000000001)));
  EXPECT_EQ(reference.values[0]->dtype, DType::f32);
  EXPECT_EQ(reference.values[1]->dtype, DType::f64);
}

TEST_F(MixedTypes, Gradients_arrive_in_the_type_of_each_leaf) {
  expect_pass(
      "a = input f32[3] requires_grad\nb = input bf16[3] requires_grad\nc = input f64[] requires_grad\nv1 = mul(a, "
      "b)\nmul_(v1, c)\n");
  expect_pass(
      "a = input f16[3] requires_grad\nb = input f64[3] requires_grad\nh = clone(a)\ndiv_(h, b)\nv1 = to(h, "
      "dtype=f64)\nmul_(v1, b)\n");
  expect_pass(
      "a = input f64[2] requires_grad\nh = clone(a)\nb = input bf16[2] requires_grad\ncopy_(h, b)\nv1 = exp(h)\n");
  expect_pass("a = input f32[2] requires_grad\nv1 = to(a, dtype=f32)\nv2 = sin(v1)\nv3 = to(v2, dtype=f16)\n");
}

/// The scalar is beyond the range of f16, and is read in float.
TEST_F(MixedTypes, Scalars_are_read_in_float_by_products_of_16_bit_types) {
  const std::string inputs = "a = input f16[2] values=[0.001, 0.5]\nb = input f64[] requires_grad values=[70000]\n";
  expect_pass(inputs + "v1 = mul(a, b)\n");
  expect_pass(inputs + "h = clone(a)\ndiv_(h, b)\n");
  const Chain chain = chain_of(inputs + "v1 = mul(a, b)\n");
  Op wrong = *find_op("mul");
  wrong.scalar_in_float = false;
  Chain spoilt = chain;
  std::get<Step>(spoilt.statements.back()).op = &wrong;
  EXPECT_EQ(judge(spoilt, {.guilt = false}).status, Status::finding);
}

/// On a GPU it is read in the type of the kernel.
TEST_F(MixedTypes, Scalars_are_infinite_on_a_device_whose_type_cannot_hold_them) {
  const Chain chain =
      chain_of("a = input f16[2] values=[0.001, 0.5]\nb = input f64[] requires_grad values=[70000]\nv1 = mul(a, b)\n");
  for (const auto layouts : {Layouts::cpu, Layouts::device}) {
    const auto typed = type_chain(chain, layouts);
    const Reference reference = run_reference(chain, std::get<Typed>(typed), {});
    EXPECT_EQ(std::isinf(reference.values[2]->value[0]), layouts == Layouts::device);
  }
}

TEST_F(MixedTypes, A_wrong_mixing_of_the_table_is_caught) {
  const struct {
    std::string_view op;
    Mixing wrong;
    const char* text;
  } entries[] = {
      {"mul", Mixing::into_self, "v1 = mul(b, a)"},
      {"mul", Mixing::refused, "v1 = mul(a, b)"},
      {"lerp", Mixing::promotes, "v1 = lerp(a, b, 0.5)"},
      {"prelu", Mixing::promotes, "v1 = prelu(a, b)"},
      {"masked_fill", Mixing::promotes, "v1 = masked_fill(d, m, c)"},
  };
  for (const auto& entry : entries) {
    Chain chain = chain_of("a = input f64[1]\nb = input f32[1]\nc = input f64[]\nd = input f32[]\nm = input bool[1]\n" +
                           std::string(entry.text) + "\n");
    Op wrong = *find_op(entry.op);
    EXPECT_NE(judge(chain, {.guilt = false}).status, Status::finding) << entry.text;
    wrong.mixing = entry.wrong;
    std::get<Step>(chain.statements.back()).op = &wrong;
    EXPECT_EQ(judge(chain, {.guilt = false}).status, Status::finding) << entry.text;
  }
}

/// The gradient of the bound is summed in the type of the target.
TEST_F(MixedTypes, A_gradient_that_is_only_passed_on_keeps_its_type) {
  Chain chain =
      chain_of("a = input f32[2] values=[0, 0]\nb = input f64[1] requires_grad values=[1]\nclamp_min_(a, b)\n");
  EXPECT_EQ(judge(chain).status, Status::pass);
  Op wrong = *find_op("clamp_min");
  wrong.passes_gradient = false;
  std::get<Step>(chain.statements.back()).op = &wrong;
  EXPECT_EQ(judge(chain, {.guilt = false}).status, Status::finding);
}

TEST_F(MixedTypes, Generated_chains_have_several_and_cast) {
  Knobs knobs;
  knobs.mixed = true;
  int mixed = 0, casts = 0, refused = 0;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    Choices choices(seed);
    const Chain chain = generate(choices, knobs);
    const auto typed = type_chain(chain);
    ASSERT_TRUE(std::holds_alternative<Typed>(typed)) << print(chain);
    mixed += types_of(chain).size() > 1;
    for (const Statement& statement : chain.statements)
      if (const auto* step = std::get_if<Step>(&statement)) casts += step->op->name == "to";
    for (const TypedStep& step : std::get<Typed>(typed).steps) refused += step.kernel_refusal == "E41";
  }
  EXPECT_GT(mixed, 1000);
  EXPECT_GT(casts, 300);
  EXPECT_GT(refused, 20);
}

TEST_F(MixedTypes, A_chain_that_needs_no_mixture_is_reduced_to_one_type) {
  const Chain chain =
      chain_of("a = input f32[2]\nb = input bf16[2]\nv1 = mul(a, b)\nv2 = to(v1, dtype=f16)\nv3 = sin(v2)\n");
  const Reduced reduced =
      reduce(chain, [](const Chain& candidate) { return print(candidate).find("sin(") != std::string::npos; });
  EXPECT_EQ(types_of(reduced.chain).size(), 1u) << print(reduced.chain);
}

}  // namespace
}  // namespace gradsmith
