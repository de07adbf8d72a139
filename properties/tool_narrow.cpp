// Float and 16-bit types: what a tensor keeps of a number, what the reference makes of it, and what is judged.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "harness/generate.hpp"
#include "harness/judge.hpp"
#include "harness/known.hpp"
#include "harness/reference.hpp"
#include "properties/chains.hpp"
#include "properties/child_program.hpp"

namespace gradsmith {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr DType narrow_types[] = {DType::f32, DType::bf16, DType::f16};

TEST(Rounding, Keeps_every_number_of_a_type_and_takes_the_nearest_else) {
  for (const DType type : {DType::bf16, DType::f16}) {
    const auto [largest, normal, least] = range_of(type);
    const double digits = 1 / unit_roundoff(type);  // per power of two
    double before = 0;
    for (double power = least; power <= largest; power *= 2) {
      // Below the normal numbers they are as far apart as there.
      const double gap = std::max(least, 2 * power / digits);
      for (double x = power; x < 2 * power && x <= largest; x += gap) {
        EXPECT_EQ(round_to(type, x), x);
        EXPECT_EQ(round_to(type, -x), -x);
        const double middle = (before + x) / 2;
        EXPECT_EQ(round_to(type, std::nextafter(middle, 0)), before);
        EXPECT_EQ(round_to(type, std::nextafter(middle, infinity)), x);
        const double even = std::fmod(x / (x - before), 2) == 0 ? x : before;
        EXPECT_EQ(round_to(type, middle), even) << x;
        before = x;
      }
    }
    EXPECT_EQ(before, largest);
    EXPECT_EQ(round_to(type, largest * (1 + unit_roundoff(type))), infinity);
    EXPECT_EQ(round_to(type, std::nextafter(largest * (1 + unit_roundoff(type) / 4), 0)), largest);
  }
}

TEST(Stored, Is_the_number_itself_in_float64) {
  Noise::restart(1, DType::f64);
  EXPECT_EQ(stored(0.1).exact(), 0.1);
}

TEST(Stored, Leaves_numbers_of_the_type_alone_in_every_replica) {
  for (const DType type : narrow_types) {
    Noise::restart(1, type);
    for (const double x : {0.0, 1.5, -3.0, range_of(type).least, range_of(type).largest, infinity}) {
      const Lanes kept = stored(x);
      for (int lane = 0; lane < lane_count; ++lane) EXPECT_EQ(kept.v[lane], x);
    }
  }
}

TEST(Stored, Rounds_and_lets_replicas_go_astray_by_what_rounding_can_do) {
  for (const DType type : {DType::bf16, DType::f16}) {
    const double u = unit_roundoff(type);
    Noise::restart(1, type);
    bool astray = false;
    for (int i = 0; i < 100; ++i) {
      const Lanes kept = stored(1.3);
      EXPECT_EQ(kept.exact(), round_to(type, 1.3));
      for (int lane = 1; lane < lane_count; ++lane) {
        EXPECT_EQ(round_to(type, kept.v[lane]), kept.v[lane]);
        EXPECT_LE(std::abs(kept.v[lane] - 1.3), 4.5 * u * 1.3);
        astray |= kept.v[lane] != kept.exact();
      }
    }
    EXPECT_TRUE(astray);
    EXPECT_EQ(stored(1e6 * range_of(type).largest).exact(), infinity);
    EXPECT_EQ(stored(range_of(type).least / 4).exact(), 0);
  }
}

Verdict verdict_of(const std::string& text) {
  static const bool ready = [] {
    initialize_libtorch();
    return true;
  }();
  (void)ready;
  return judge(parse_or_die("gradsmith 1\n" + text));
}

TEST(NarrowTypes, Judge_what_leaves_the_range) {
  const auto status = [](const char* dtype, const char* number, const char* step) {
    const std::string text = std::string("a = input ") + dtype + "[2] requires_grad values=[" + number + ", 1]\nv1 = " + step + "\n";
    const Verdict verdict = verdict_of(text);
    EXPECT_EQ(verdict.status, Status::pass) << text << verdict.reason << verdict.signature.text();
  };
  status("f16", "300", "mul(a, a)");      // infinite
  status("f16", "0.0001", "mul(a, a)");   // 0
  status("f16", "0.01", "mul(a, a)");     // subnormal
  status("f32", "1e30", "mul(a, a)");
  status("f32", "1e-22", "mul(a, a)");
  status("bf16", "1e30", "mul(a, a)");
}

TEST(NarrowTypes, Blame_the_op_that_is_wrong_for_the_cotangent_that_arrives_not_one_that_reads_the_same_leaf) {
  // The derivative of asinh is 0 at -1e+30 (corpus/known/asinh-large.chain), which next to the 1 at 0 is within rounding:
  // only mul_ makes a cotangent of it that shows it.
  const Verdict verdict = verdict_of(
      "a = input f32[2] requires_grad values=[-1e+30, 0]\n"
      "v1 = asinh(a)\n"
      "mul_(v1, a)\n");
  EXPECT_EQ(verdict.signature.text(), "wrong-gradient.asinh.large.f32.cpu");
}

TEST(NarrowTypes, Blame_the_op_that_is_wrong_by_hardly_more_than_rounding_can_do) {
  // The lower bound gets nothing (corpus/known/clamp-equal-bounds.chain): -1.6, of 15 cotangents that nearly cancel.
  const Verdict verdict = verdict_of(
      "a = input bf16[15] values=[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
      "b = input bf16[] requires_grad values=[1]\n"
      "cos_(a)\n"
      "v1 = clone(b)\n"
      "v2 = clone(b)\n"
      "v3 = clamp(a, b, b)\n");
  EXPECT_EQ(verdict.signature.text(), "wrong-gradient.clamp.large.bf16.cpu");
}

TEST(NarrowTypes, Blame_the_op_at_which_the_wrong_cotangent_came_up_not_one_that_adds_to_it_later) {
  // exp2's backward leaves the range in between (corpus/known/exp2-large-half.chain); `where` reads the same leaf.
  const Verdict verdict = verdict_of(
      "a = input bool[] values=[0]\n"
      "b = input f16[] requires_grad values=[2.41796875]\n"
      "v1 = clone(b)\n"
      "v2 = exp2(v1)\n"
      "v3 = mul(v2, 2)\n"
      "v4 = cosh(v3)\n"
      "backward(v4, cotangent=[0.3])\n"
      "v5 = where(a, b, b)\n");
  EXPECT_EQ(verdict.signature.text(), "wrong-gradient.exp2.nonfinite.f16.cpu");
}

TEST(NarrowTypes, Sums_with_a_factor_are_right_whether_the_product_is_rounded_to_the_type_or_not) {
  const auto chain = [](const char* dtype, double number, std::size_t elements, const char* step) {
    std::string list = fmt::format("{}", number);
    for (std::size_t i = 1; i < elements; ++i) list += ", 0.3";
    return fmt::format("a = input {}[{}] values=[{}]\nv1 = {}\n", dtype, elements, list, step);
  };
  for (const char* step : {"sub(a, a, alpha=2)", "add(a, a, alpha=-2)", "add(a, a, alpha=-0.3)"})
    for (const std::size_t elements : {1, 31, 64, 200}) {  // the loop is the scalar one, or the vectorised one
      for (const auto& text : {chain("f16", 60000, elements, step), chain("bf16", 3e38, elements, step)}) {
        const Verdict verdict = verdict_of(text);
        EXPECT_EQ(verdict.status, Status::pass) << text << verdict.reason << verdict.signature.text();
      }
    }
}

TEST(NarrowTypes, Generated_chains_have_no_other_floating_type) {
  for (const DType type : narrow_types) {
    Knobs knobs;
    knobs.dtype = type;
    for (std::uint64_t seed = 0; seed < 500; ++seed) {
      Choices choices(seed);
      const Chain chain = generate(choices, knobs);
      ASSERT_TRUE(std::holds_alternative<Typed>(type_chain(chain)));
      for (const Statement& statement : chain.statements)
        if (const auto* input = std::get_if<Input>(&statement); input && is_floating(input->dtype)) {
          ASSERT_EQ(input->dtype, type);
        }
    }
  }
}

TEST(NarrowTypes, A_known_issue_is_known_for_what_its_header_says_and_nothing_else) {
  const testing::Scratch scratch;
  const auto learn = [&](const std::string& kind) {
    scratch.file("known/one.chain", "gradsmith 1\n# expect: finding " + kind +
                                        "\na = input f64[] requires_grad values=[0]\nv1 = hardsigmoid(a)\n");
    return learn_known(scratch.path, {});
  };
  EXPECT_EQ(learn("wrong-gradient").issues.size(), 1u);
  const KnownTable other = learn("crash");
  EXPECT_TRUE(other.issues.empty());
  EXPECT_TRUE(other.passing.empty()) << "it shows a finding";
}

TEST(NarrowTypes, A_known_issue_is_known_in_each) {
  verdict_of("a = input f64[]\n");
  const std::string corpus = std::string(GRADSMITH_SOURCE_DIR) + "/corpus";
  const KnownTable table = learn_known(corpus, {}, std::array{DType::bf16});
  EXPECT_TRUE(table.passing.empty());
  EXPECT_TRUE(table.issues.contains("wrong-gradient.clamp.large.f64.cpu"));
  EXPECT_TRUE(table.issues.contains("wrong-gradient.clamp.large.bf16.cpu"));
  EXPECT_FALSE(table.issues.contains("wrong-gradient.hardsigmoid.small.bf16.cpu")) << "a constant in float is no fault there";
}

}  // namespace
}  // namespace gradsmith
