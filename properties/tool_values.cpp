// Values bit for bit: the generators against numbers worked out apart from them, rounding, layouts, and choices.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "harness/choices.hpp"
#include "harness/values.hpp"
#include "properties/chains.hpp"

namespace gradsmith {
namespace {

using Numbers = std::vector<double>;
constexpr Spec normal(std::uint64_t seed) { return {.kind = Spec::Kind::normal, .seed = seed}; }
constexpr Spec edges(std::uint64_t seed) { return {.kind = Spec::Kind::edges, .seed = seed}; }
constexpr Spec uniform(double lo, double hi, std::uint64_t seed) {
  return {.kind = Spec::Kind::uniform, .seed = seed, .lo = lo, .hi = hi};
}

TEST(Values, The_mix_is_three_rounds_of_splitmix64) {
  EXPECT_EQ(mix_bits(0, 0, 0), 0x238275bc38fcbe91u);
  EXPECT_EQ(mix_bits(1, 0, 0), 0xb18a02f46d8d86c3u);
  EXPECT_EQ(mix_bits(0, 1, 0), 0x44e5b98100c67fb0u);
  EXPECT_EQ(mix_bits(0, 0, 1), 0x2f32a78496c67c60u);
  EXPECT_EQ(mix_bits(7, 2, 5), 0x78bc1f9975e91647u);
}

TEST(Values, Generated_numbers_are_the_documented_bits) {
  EXPECT_EQ(generate_values(normal(0), DType::f64, 4),
            (Numbers{0x1.5e5ddd3p-3, 0x1.184eca38p-3, 0x1.4112b6d2p-1, 0x1.9ca88b08p-3}));
  EXPECT_EQ(generate_values(normal(0), DType::f64, 2, 1), (Numbers{-0x1.040e765cp-1, -0x1.3ceee332p-1}));
  EXPECT_EQ(generate_values(normal(1), DType::f32, 3), (Numbers{0x1.3b8f4ep+1, -0x1.1bee5cp-1, 0x1.d1347p-1}));
  EXPECT_EQ(generate_values(normal(1), DType::bf16, 3), (Numbers{0x1.3cp+1, -0x1.1cp-1, 0x1.d2p-1}));
  EXPECT_EQ(generate_values(normal(1), DType::f16, 3), (Numbers{0x1.3b8p+1, -0x1.1cp-1, 0x1.d14p-1}));
  EXPECT_EQ(generate_values(normal(1), DType::i64, 8), (Numbers{2, -1, 1, 2, -2, 0, 0, -1}));
  EXPECT_EQ(generate_values(normal(1), DType::boolean, 8), (Numbers{1, 0, 0, 1, 0, 0, 1, 1}));
  EXPECT_EQ(generate_values(uniform(0.5, 2, 7), DType::f64, 4),
            (Numbers{0x1.6a01eb5a129a8p+0, 0x1.f1ed53e69e528p+0, 0x1.e0c0051bfb13bp-1, 0x1.4cdc4f477781cp-1}));
  EXPECT_EQ(generate_values(uniform(-3, 3, 7), DType::i64, 8), (Numbers{0, 2, -2, -3, 2, -3, 0, 0}));
  EXPECT_EQ(generate_values(edges(3), DType::f64, 8), (Numbers{-0x1.8000000000001p+1, -3, 0x1.0000000000001p-1,
                                                               -0x1p-1022, -1e-30, -20, -0x1.0000000000001p-1, -6}));
  EXPECT_EQ(generate_values(edges(3), DType::bf16, 8),
            (Numbers{-0x1.82p+1, -3, 0x1.02p-1, -0x1p-126, -0x1.44p-100, -20, -0x1.02p-1, -6}));
  EXPECT_EQ(generate_values(edges(3), DType::i64, 8), (Numbers{3, 3, 7, 65536, 65536, 127, 20, 6}));
}

TEST(Values, An_element_depends_on_its_place_alone) {
  for (const Spec& spec : {normal(9), uniform(-1, 1, 9), edges(9)}) {
    const Numbers many = generate_values(spec, DType::f32, 100), few = generate_values(spec, DType::f32, 10);
    EXPECT_TRUE(std::equal(few.begin(), few.end(), many.begin()));
    EXPECT_TRUE(generate_values(spec, DType::f32, 0).empty());
  }
}

TEST(Values, Normal_numbers_have_mean_0_and_variance_1) {
  const Numbers x = generate_values(normal(42), DType::f64, 100000);
  const double mean = std::accumulate(x.begin(), x.end(), 0.0) / 1e5;
  const double square = std::inner_product(x.begin(), x.end(), x.begin(), 0.0) / 1e5;
  EXPECT_NEAR(mean, 0, 0.013);    // 4 standard errors
  EXPECT_NEAR(square, 1, 0.018);  // 4 standard errors
}

TEST(Values, Every_edge_is_finite_fits_its_type_and_turns_up) {
  for (const DType dtype : {DType::f64, DType::f32, DType::bf16, DType::f16, DType::i64}) {
    std::vector<Numbers::value_type> distinct;
    for (const double x : generate_values(edges(1), dtype, 2000)) {
      EXPECT_TRUE(std::isfinite(x));
      EXPECT_EQ(round_to(dtype, x), x);
      const auto same = [&](double y) { return same_argument(x, y); };
      if (std::none_of(distinct.begin(), distinct.end(), same)) distinct.push_back(x);
    }
    EXPECT_EQ(distinct.size(), dtype == DType::i64 ? 16u : 40u) << dtype_name(dtype);
  }
}

TEST(Values, Rounding_is_to_nearest_even_in_every_type) {
  const double inf = std::numeric_limits<double>::infinity();
  EXPECT_EQ(round_to(DType::f32, 0.1), 0x1.99999ap-4);
  EXPECT_EQ(round_to(DType::f32, 1e300), inf);
  EXPECT_EQ(round_to(DType::bf16, 1 + 0x1p-8), 1);
  EXPECT_EQ(round_to(DType::bf16, 1 + 0x1.8p-7), 1 + 0x1p-6);
  EXPECT_EQ(round_to(DType::bf16, 1 + 0x1p-8 + 0x1p-40), 1 + 0x1p-7);  // once, not by way of f32
  EXPECT_EQ(round_to(DType::bf16, 0x1.ffp+127), inf);
  EXPECT_EQ(round_to(DType::bf16, 0x1p-133), 0x1p-133);
  EXPECT_EQ(round_to(DType::bf16, 0x1p-134), 0);
  EXPECT_EQ(round_to(DType::f16, 65519), 65504);
  EXPECT_EQ(round_to(DType::f16, -65520), -inf);
  EXPECT_EQ(round_to(DType::f16, 0x1.8p-24), 0x1p-23);
  EXPECT_EQ(round_to(DType::f16, 0x1p-25), 0);
  EXPECT_TRUE(std::signbit(round_to(DType::f16, -1e-30)));
  EXPECT_TRUE(std::isnan(round_to(DType::f16, std::nan(""))));
  EXPECT_EQ(round_to(DType::i64, 2.5), 2);
  EXPECT_EQ(round_to(DType::boolean, 0.3), 1);
}

TEST(Values, Storage_follows_strides_and_offset) {
  const auto storage = [](const std::string& input) {
    return input_storage(std::get<Input>(parse_or_die("gradsmith 1\na = input " + input + "\n").statements[0]));
  };
  EXPECT_EQ(storage("f64[2, 2] values=[1, 2, 3, 4]"), (Numbers{1, 2, 3, 4}));
  EXPECT_EQ(storage("f64[2, 2] strides=[1, 2] values=[1, 2, 3, 4]"), (Numbers{1, 3, 2, 4}));
  EXPECT_EQ(storage("f64[2] strides=[3] offset=1 values=[1, 2]"), (Numbers{0, 1, 0, 0, 2}));
  EXPECT_EQ(storage("f64[2, 2] strides=[0, 1] values=[1, 2, 1, 2]"), (Numbers{1, 2}));
  EXPECT_EQ(storage("f64[0, 3] offset=5"), Numbers{});
  EXPECT_EQ(storage("f32[] offset=1 values=[0.1]"), (Numbers{0, 0x1.99999ap-4}));
  const Numbers drawn = generate_values(normal(4), DType::f64, 4);
  EXPECT_EQ(storage("f64[2, 2] strides=[0, 1] values=normal(4)"), (Numbers{drawn[0], drawn[1]}));
  EXPECT_EQ(storage("f64[2, 2] strides=[1, 1] values=normal(4)"), (Numbers{drawn[0], drawn[1], drawn[3]}));
}

TEST(Values, Layouts_count_a_dimension_of_size_0_as_1) {
  EXPECT_EQ(contiguous_layout({2, 0, 3}).strides, (Shape{3, 3, 1}));
  EXPECT_EQ(contiguous_layout({}).strides, Shape{});
  EXPECT_EQ(storage_positions({{2, 3}, {1, 2}, 4}), (std::vector<std::int64_t>{4, 6, 8, 5, 7, 9}));
  EXPECT_EQ(storage_positions({{}, {}, 4}), (std::vector<std::int64_t>{4}));
}

TEST(Values, Each_root_of_a_backward_has_its_own_stream) {
  const auto drawn = cotangent_values(normal(5), {{2}, {2}}, {DType::f64, DType::f64});
  EXPECT_EQ(drawn[0], generate_values(normal(5), DType::f64, 2, 1));
  EXPECT_EQ(drawn[1], generate_values(normal(5), DType::f64, 2, 2));
  const Spec list{.kind = Spec::Kind::list, .list = {1, 2, 3}};
  EXPECT_EQ(cotangent_values(list, {{2}, {}}, {DType::f64, DType::f64}), (std::vector<Numbers>{{1, 2}, {3}}));
}

TEST(Choices, A_seed_gives_splitmix64) {
  Choices choices(std::uint64_t{0});
  EXPECT_EQ(choices.bits(), 0xe220a8397b1dcdafu);
  EXPECT_EQ(choices.bits(), 0x6e789e6aa1b965f4u);
}

TEST(Choices, Bytes_are_taken_in_order_as_few_as_needed_and_read_as_0_at_the_end) {
  const std::uint8_t bytes[] = {7, 200, 0x34, 0x12, 9};
  Choices choices{std::span<const std::uint8_t>(bytes)};
  EXPECT_EQ(choices.below(1), 0u);  // takes nothing
  EXPECT_EQ(choices.below(5), 2u);
  EXPECT_EQ(choices.below(256), 200u);
  EXPECT_EQ(choices.below(0x10000), 0x1234u);
  EXPECT_EQ(choices.below(0x10000), 9u);
  EXPECT_EQ(choices.below(100), 0u);
  EXPECT_EQ(choices.bits(), 0u);
  EXPECT_TRUE(choices.chance(1));
}

TEST(Choices, Weights_are_respected_and_zero_is_never_drawn) {
  const unsigned weights[] = {0, 1, 0, 3};
  Choices choices(std::uint64_t{3});
  int counts[4] = {};
  for (int i = 0; i < 4000; ++i) ++counts[choices.weighted(weights)];
  EXPECT_EQ(counts[0] + counts[2], 0);
  EXPECT_NEAR(counts[1], 1000, 110);  // 4 standard deviations
  for (int i = 0; i < 1000; ++i) {
    const auto x = choices.between(-2, 2);
    EXPECT_TRUE(x >= -2 && x <= 2);
  }
}

}  // namespace
}  // namespace gradsmith
