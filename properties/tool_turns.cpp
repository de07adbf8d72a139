// Which chains the witnesses with modes of their own are asked of: the share that was said, the same chains in every
// process.
#include <gtest/gtest.h>

#include "harness/generate.hpp"
#include "harness/print.hpp"
#include "harness/turns.hpp"
#include "properties/chains.hpp"

namespace gradsmith {
namespace {

bool is_asked(const std::array<bool, witness_count>& witnesses, Witness witness) {
  return witnesses[static_cast<std::size_t>(witness)];
}

TEST(Turns, Are_a_share_of_chains_and_the_same_once_a_chain_is_read_again) {
  constexpr int chains = 4000;
  int forward = 0, second = 0;
  for (std::uint64_t seed = 0; seed < chains; ++seed) {
    Choices choices(seed);
    const Chain chain = generate(choices);
    auto witnesses = of_reverse_mode(), again = of_reverse_mode();
    ask_in_turn(witnesses, chain);
    Chain read = parse_or_die(print(chain));
    read.comments.push_back("lane: guard");
    ask_in_turn(again, read);
    ASSERT_EQ(witnesses, again) << print(chain);
    EXPECT_TRUE(is_asked(witnesses, Witness::reference));
    EXPECT_FALSE(is_asked(witnesses, Witness::forward) && is_asked(witnesses, Witness::second));
    forward += is_asked(witnesses, Witness::forward);
    second += is_asked(witnesses, Witness::second);
  }
  EXPECT_NEAR(forward, chains / 8, chains / 50);
  EXPECT_NEAR(second, chains / 16, chains / 50);
}

}  // namespace
}  // namespace gradsmith
