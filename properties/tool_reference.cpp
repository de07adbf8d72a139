// What the replicas show of rounding where numbers are subnormal, and what the reference must leave open.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "harness/reference.hpp"
#include "harness/repro.hpp"
#include "harness/weigh.hpp"
#include "properties/chains.hpp"
#include "properties/golden.hpp"

namespace gradsmith {
namespace {

Reference reference_of(std::string_view text) {
  const Chain chain = parse_or_die(text);
  return run_reference(chain, std::get<Typed>(type_chain(chain)), {});
}

/// With all the replicas that a miss is judged by.
Reference wide_reference_of(std::string_view text) {
  const Chain chain = parse_or_die(text);
  const Typed typed = std::get<Typed>(type_chain(chain));
  Reference all = run_reference(chain, typed, {});
  widen_by_more_replicas(all, chain, typed, {});
  return all;
}

std::string told(const Spread& numbers) {
  std::string text;
  for (std::size_t i = 0; i < numbers.value.size(); ++i)
    text += fmt::format("  {:.17g} within {:.17g}\n", numbers.value[i], numbers.spread[i]);
  return text;
}

/// Ops that need no function of the C library, which may be another elsewhere.
TEST(Reference, Has_the_same_replicas_with_every_compiler) {
  std::string text;
  for (const std::string dtype : {"f64", "bf16"})
    for (const std::string step :
         {"hardsigmoid(a)", "hardswish(a)", "square(a)", "reciprocal(a)", "rsqrt(b)", "softsign(a)", "div(a, b)",
          "addcmul(a, b, c, value=0.5)", "addcdiv(a, b, c, value=0.5)", "lerp(a, b, 0.25)", "prod(a)", "mean(a)"}) {
      const std::string input = " = input " + dtype + "[2] requires_grad values=";
      const Chain chain = parse_or_die("gradsmith 1\na" + input + "[0.25, -1.625]\nb" + input + "[1.875, 0.6875]\nc" +
                                       input + "[-0.75, 1.375]\nv1 = " + step + "\n");
      const Reference reference = answer_of(chain, std::get<Typed>(type_chain(chain))).reference;
      text += dtype + " " + step + "\n" + told(*reference.values[3]);
      for (Value leaf = 0; leaf < 3; ++leaf) text += told(*reference.gradients[leaf]);
    }
  EXPECT_EQ(testing::differs_from_golden("replicas.txt", text), "");
}

TEST(Reference, Leaves_a_product_open_whose_value_the_order_decides) {
  const auto open = [](const std::string& numbers, int count) {
    return !reference_of("gradsmith 1\na = input f64[" + std::to_string(count) + "] values=[" + numbers +
                         "]\nb = prod(a, dim=0)\n").open.empty();
  };
  EXPECT_TRUE(open("1e300, 1e300, 0", 3));        // NaN or 0
  EXPECT_TRUE(open("1e300, 1e300, 1e-300", 3));   // infinite or not
  EXPECT_TRUE(open("1e-300, 1e-300, 1e300", 3));  // 0 or not
  EXPECT_TRUE(open("1e-300, 1e-300, inf", 3));    // NaN or infinite
  EXPECT_FALSE(open("1e300, 1e300, 2", 3));       // infinite in every order
  EXPECT_FALSE(open("1e300, 0", 2));              // there is one order
  EXPECT_FALSE(open("1e150, 1e150, 0", 3));       // stays in range
}

TEST(Reference, Leaves_a_sum_open_whose_value_the_order_decides) {
  const auto open = [](const std::string& dtype, const std::string& numbers, int count, const std::string& step) {
    return !reference_of("gradsmith 1\na = input " + dtype + "[" + std::to_string(count) + "] values=[" + numbers +
                         "]\nb = " + step + "\n").open.empty();
  };
  for (const std::string dtype : {"f32", "bf16"})
    for (const std::string step : {"sum(a)", "mean(a)", "cumsum(a, dim=0)"}) {
      EXPECT_TRUE(open(dtype, "3e38, 2e38, -2.5e38", 3, step));       // infinite or not
      EXPECT_TRUE(open(dtype, "3e38, 2e38, -2e38, -3e38", 4, step));  // infinite, or NaN, or 0
      EXPECT_FALSE(open(dtype, "3e38, 2e38, 1e38", 3, step));         // infinite in every order
      EXPECT_FALSE(open(dtype, "1e38, 2e38, -2.5e38", 3, step));      // stays in range
    }
  EXPECT_TRUE(open("f64", "1.5e308, 1e308, -1.2e308", 3, "sum(a)"));
  EXPECT_FALSE(open("f16", "60000, 60000, -60000", 3, "sum(a)"));  // kernels add up in float
  const auto product = [](const std::string& others) {
    return reference_of("gradsmith 1\na = input f32[2] values=[3e19, 3e19]\nb = input f32[2] values=[" + others +
                        "]\nc = matmul(a, b)\n").open;
  };
  EXPECT_NE(product("2e19, -2e19"), "");  // kernels may fuse, or start from either
  EXPECT_EQ(product("2e19, 2e19"), "");
}

TEST(Reference, Leaves_a_gradient_open_that_the_order_of_its_terms_decides) {
  const auto open = [](const std::string& dtype, const std::string& first, const std::string& second, const std::string& third) {
    return !reference_of("gradsmith 1\na = input " + dtype + "[] requires_grad values=[0.25]\nb = mul(a, " + first +
                         ")\nc = mul(a, " + second + ")\nd = mul(a, " + third +
                         ")\ne = add(b, c)\nf = add(e, d)\nbackward(f, cotangent=[1])\n").open.empty();
  };
  EXPECT_TRUE(open("f16", "40000", "40000", "-40000"));  // tensors are added up, in their type
  EXPECT_FALSE(open("f32", "40000", "40000", "-40000"));
  EXPECT_FALSE(open("f16", "40000", "20000", "-40000"));  // stays in range
}

TEST(Reference, Leaves_a_branch_open_that_depends_on_whether_partial_sums_are_rounded_to_the_type) {
  const auto open = [](const std::string& dtype) {
    return wide_reference_of("gradsmith 1\na = input " + dtype + "[3] values=[-0.515625, -0.62109375, 1.140625]\n"
                             "b = cumsum(a, dim=0)\nc = relu(b)\n").open;
  };
  EXPECT_EQ(open("bf16"), "a replica takes another branch");
  EXPECT_EQ(open("f32"), "");
}

// gelu(-6) is -6e-9, but 0 where 1 + erf cancels. Squares of replicas lie above 0 all of them, however far they went.
TEST(Reference, Leaves_a_branch_open_that_a_replica_would_take_had_it_gone_the_other_way) {
  const auto open = [](const std::string& number) {
    return reference_of("gradsmith 1\na = input f32[] values=[" + number +
                        "]\nb = gelu(a)\nc = square(b)\nd = threshold(c, threshold=0, value=1)\n").open;
  };
  EXPECT_EQ(open("-6"), "a replica takes another branch");
  EXPECT_EQ(open("-2"), "");
}

TEST(Reference, Leaves_open_what_comes_of_an_operand_that_rounding_may_take_to_a_pole) {
  const auto open = [](const std::string& number, const std::string& step) {
    return reference_of("gradsmith 1\na = input f32[] values=[" + number +
                        "]\nb = input f32[] values=[-2]\nc = gelu(a)\nd = square(c)\ne = " + step + "\n").open;
  };
  for (const std::string step : {"log(d)", "log2(d)", "sqrt(d)", "rsqrt(d)", "reciprocal(d)", "div(a, d)", "pow(d, -1)",
                                 "pow(d, a)", "pow(b, d)"}) {
    EXPECT_EQ(open("-6", step), "a replica takes another branch") << step;  // 0 or 3e-17; -2 has a power at 0
    EXPECT_EQ(open("-1", step), "") << step;
  }
  for (const std::string step : {"pow(d, 2)", "exp(d)"}) EXPECT_EQ(open("-6", step), "") << step;
}

TEST(Replicas, Of_a_subnormal_result_are_0_or_off_by_two_of_the_smallest_numbers) {
  const struct {
    DType dtype;
    double normal, least;
  } computations[] = {{DType::f64, 0x1p-1022, 0x1p-1074}, {DType::f32, 0x1p-126, 0x1p-149}, {DType::f16, 0x1p-126, 0x1p-149}};
  for (const auto& [dtype, normal, least] : computations) {
    Noise::restart(1, dtype);
    bool zero = false, moved = false;
    for (int i = 0; i < 100; ++i) {
      const double x = -20 * least;
      const Lanes sum = Lanes(x) + Lanes(0.0);
      EXPECT_EQ(sum.exact(), x);
      for (int lane = 1; lane < lane_count; ++lane) {
        EXPECT_TRUE(sum.v[lane] == 0 || std::abs(sum.v[lane] - x) <= 2 * least) << sum.v[lane];
        EXPECT_TRUE(std::signbit(sum.v[lane]));
        zero |= sum.v[lane] == 0;
        moved |= sum.v[lane] != 0 && sum.v[lane] != x;
      }
      const Lanes small = Lanes(normal) + Lanes(0.0), none = Lanes(0.0) + Lanes(0.0);
      for (int lane = 0; lane < lane_count; ++lane) {
        EXPECT_GT(small.v[lane], normal / 2);
        EXPECT_EQ(none.v[lane], 0);
      }
    }
    EXPECT_TRUE(zero && moved);
  }
  Noise::restart(1);
}

TEST(Reference, Judges_what_follows_a_subnormal_result_only_where_rounding_does_not_decide) {
  const auto open = [](const std::string& step) {
    const Reference all =
        wide_reference_of("gradsmith 1\na = input f64[] values=[5e-324]\nv1 = log1p(a)\nv2 = " + step + "\n");
    return !all.open.empty() || !std::isfinite(all.values[2]->spread[0]);
  };
  EXPECT_TRUE(open("log(v1)"));                             // -744 or -inf
  EXPECT_TRUE(open("div(v1, 0)"));                          // infinite or NaN
  EXPECT_TRUE(open("threshold(v1, threshold=0, value=1)"));  // either side
  EXPECT_FALSE(open("exp(v1)"));
  EXPECT_FALSE(open("add(v1, 1)"));
}

TEST(Reference, Leaves_a_quotient_open_whose_divisor_is_rounding_alone) {
  const auto open = [](const std::string& number, const std::string& step) {
    return !wide_reference_of("gradsmith 1\na = input f64[] values=[0.1]\nv1 = add(a, 0.2)\nv2 = sub(v1, " + number +
                              ")\nv3 = " + step + "\n").open.empty();
  };
  EXPECT_TRUE(open("0.3", "div(v2, v2)"));  // 1, or 0 / 0
  EXPECT_TRUE(open("0.3", "addcdiv(a, v2, v2)"));
  EXPECT_FALSE(open("0.4", "div(v2, v2)"));
}

TEST(Reference, Leaves_a_clamp_open_whose_operand_may_be_NaN) {
  const auto open = [](const std::string& number) {
    return !wide_reference_of("gradsmith 1\na = input f64[] values=[" + number +
                              "]\nv1 = sinh(a)\nv2 = log(v1)\nv3 = clamp(v2, min=0)\n").open.empty();
  };
  EXPECT_TRUE(open("-5e-324"));  // NaN, or -infinity clamped to 0
  EXPECT_FALSE(open("-1"));
}

TEST(Reference, Leaves_a_subnormal_number_open_that_a_region_wrote) {
  const auto open = [](const std::string& number) {
    return !reference_of("gradsmith 1\na = input f64[] requires_grad values=[" + number +
                         "]\nno_grad {\n  add_(a, a, alpha=-0.5)\n}\nb = selu(a)\n").open.empty();
  };
  EXPECT_TRUE(open("5e-324"));  // 0 where multiplication and addition are fused
  EXPECT_FALSE(open("1"));
}

}  // namespace
}  // namespace gradsmith
