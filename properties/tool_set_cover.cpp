// Greedy set cover on small cases that can be checked by eye.
#include <gtest/gtest.h>

#include "harness/set_cover.hpp"

namespace gradsmith::testing {
namespace {

using Sets = std::vector<std::vector<std::uint32_t>>;
using Chosen = std::vector<std::size_t>;

TEST(SetCover, Takes_the_set_that_adds_most_first_and_leaves_out_what_adds_nothing) {
  EXPECT_EQ(set_cover(Sets{{1}, {1, 2}, {3, 4, 5}, {2, 5}}, 9), (Chosen{2, 1}));
}

TEST(SetCover, Takes_the_first_of_equals_and_counts_an_element_once) {
  EXPECT_EQ(set_cover(Sets{{7, 7, 7}, {1, 2}, {2, 1}}, 9), (Chosen{1, 0}));
}

TEST(SetCover, Stops_at_the_number_asked_for) {
  EXPECT_EQ(set_cover(Sets{{1}, {2}, {3, 4}}, 2), (Chosen{2, 0}));
  EXPECT_EQ(set_cover(Sets{{1}}, 0), Chosen{});
  EXPECT_EQ(set_cover(Sets{}, 5), Chosen{});
  EXPECT_EQ(set_cover(Sets{{}, {}}, 5), Chosen{});
}

}  // namespace
}  // namespace gradsmith::testing
