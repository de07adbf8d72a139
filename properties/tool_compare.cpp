// What counts as equal, and what only the replicas can excuse.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "harness/compare.hpp"

namespace gradsmith {
namespace {

constexpr double u = 0x1p-53, inf = std::numeric_limits<double>::infinity();
const double nan = std::numeric_limits<double>::quiet_NaN();

double ratio(double observed, double expected, double spread) {
  return compare({observed}, {.value = {expected}, .spread = {spread}}, u).ratio;
}

TEST(Compare, Forgives_a_number_that_is_not_finite_only_where_the_replicas_are_scattered) {
  for (const double odd : {inf, -inf, nan}) {
    EXPECT_EQ(ratio(odd, 1, 0), inf);
    EXPECT_EQ(ratio(odd, 0, 0), inf);
    EXPECT_EQ(ratio(odd, 1, 1e-3), inf);
    EXPECT_EQ(ratio(odd, 1, 0.5), 0);
  }
}

TEST(Compare, Takes_the_rounding_of_a_16_bit_type_for_no_scatter) {
  const auto of_nan = [](double expected, double spread) {
    return compare({nan}, {.value = {expected}, .spread = {spread}, .least = 0x1p-24}, 0x1p-8).ratio;
  };
  EXPECT_EQ(of_nan(1, 0.1), inf);
  EXPECT_EQ(of_nan(1, 0.5), 0);
  EXPECT_EQ(of_nan(0x1p-16, 0x1p-20), inf) << "near the smallest numbers it is absolute";
}

TEST(Compare, Forgives_another_kind_only_where_a_replica_has_another) {
  for (const double expected : {inf, -inf, nan})
    for (const double observed : {inf, -inf, nan, 1.0}) {
      const bool same = std::isnan(expected) ? std::isnan(observed) : observed == expected;
      EXPECT_EQ(ratio(observed, expected, 0), same ? 0 : inf) << observed << " for " << expected;
      EXPECT_EQ(ratio(observed, expected, inf), 0) << observed << " for " << expected;
    }
}

TEST(Compare, Counts_in_units_of_the_spread_and_of_the_roundoff) {
  EXPECT_LE(ratio(1 + 8 * u, 1, 0), Tolerance{}.k);
  EXPECT_GT(ratio(1 + 128 * u, 1, 0), Tolerance{}.k);
  EXPECT_LE(ratio(1 + 1e-9, 1, 1e-10), Tolerance{}.k);
  EXPECT_GT(ratio(1 + 1e-8, 1, 1e-10), Tolerance{}.k);
}

}  // namespace
}  // namespace gradsmith
