// Mutations give valid chains, change something, keep chains short; any bytes decode to a chain.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "harness/decode.hpp"
#include "harness/generate.hpp"
#include "harness/mutate.hpp"
#include "harness/op.hpp"
#include "harness/parse.hpp"
#include "harness/print.hpp"
#include "harness/reduce_edit.hpp"
#include "harness/retype.hpp"
#include "properties/chains.hpp"

namespace gradsmith {
namespace {

Chain generated(std::uint64_t seed) {
  Choices choices(seed);
  return canonical_names(generate(choices));
}

/// The text parses, to the same chain.
void expect_chain(const Chain& chain) {
  const auto parsed = parse(print(chain));
  ASSERT_TRUE(std::holds_alternative<Chain>(parsed)) << format_error("mutant", std::get<ParseError>(parsed)) << "\n" << print(chain);
  EXPECT_EQ(std::get<Chain>(parsed), chain);
}

TEST(Mutation, Of_every_kind_often_gives_a_valid_chain_that_differs) {
  constexpr std::uint64_t trials = 400;
  for (const Mutation& mutation : mutations()) {
    int changed = 0;
    for (std::uint64_t seed = 0; seed < trials; ++seed) {
      const Chain chain = generated(seed);
      Chain mutant = chain;
      Choices choices(seed + 1000);
      if (!mutation.apply(mutant, choices) || !reducing::valid(mutant)) continue;
      mutant = canonical_names(mutant);
      expect_chain(mutant);
      changed += !(mutant == chain);
    }
    EXPECT_GE(changed, 12) << mutation.name;
  }
}

TEST(Mutation, Gives_valid_chains_and_equal_ones_for_equal_choices) {
  int same = 0;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const Chain chain = generated(seed);
    Choices a(seed), b(seed);
    const Chain mutant = mutate(chain, a);
    expect_chain(mutant);
    EXPECT_EQ(print(mutant), print(mutate(chain, b)));
    same += mutant == chain;
  }
  EXPECT_LE(same, 5);
}

TEST(Mutation, Of_types_mixes_them_and_lets_casts_in) {
  int mixed = 0, casts = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Choices choices(seed);
    Chain chain = generated(seed);
    EXPECT_EQ(types_of(mutate(chain, choices)).size(), types_of(chain).size()) << "another mutation mixes none";
    for (int round = 0; round < 4; ++round) chain = mutate(mutate_types(chain, choices), choices);
    expect_chain(chain);
    mixed += types_of(chain).size() > 1;
    for (const Statement& statement : chain.statements)
      if (const auto* step = std::get_if<Step>(&statement)) casts += step->op->mixing == Mixing::named;
  }
  EXPECT_GE(mixed, 100) << "of others all but one input was dropped, or none is a floating one";
  EXPECT_GE(casts, 10);
}

TEST(Mutation, Again_and_again_keeps_chains_short) {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    Chain chain = generated(seed);
    Choices choices(seed);
    for (int round = 0; round < 150; ++round) {
      chain = mutate(chain, choices);
      ASSERT_LE(step_count(chain), longest_mutant + 12) << "round " << round;
    }
    expect_chain(chain);
  }
}

TEST(Mutation, Goes_on_from_the_history_of_one_memory_without_the_rest) {
  const Chain chain = canonical_names(parse_or_die(R"(gradsmith 1
a = input f64[4] requires_grad
b = input f64[3] requires_grad
v1 = clone(a)
v2 = narrow(v1, dim=0, start=1, length=2)
v3 = sin(b)
neg_(v2)
v4 = tanh(v3)
neg_(v1)
)"));
  const auto pursue = std::find_if(mutations().begin(), mutations().end(), [](const Mutation& m) { return m.name == "pursue"; });
  ASSERT_NE(pursue, mutations().end());
  constexpr int trials = 300;
  int with_history = 0, with_rest = 0, deeper = 0;
  for (std::uint64_t seed = 0; seed < trials; ++seed) {
    Chain mutant = chain;
    Choices choices(seed);
    if (!pursue->apply(mutant, choices) || !reducing::valid(mutant)) continue;
    const std::string text = print(mutant);
    const bool kept = text.find("narrow(v1, dim=0, start=1, length=2)\nneg_(v2)\nneg_(v1)\n") != std::string::npos;
    with_history += kept;
    with_rest += kept && text.find("tanh(") != std::string::npos && text.find("sin(") != std::string::npos;
    deeper += kept && step_count(mutant) > 5;
  }
  EXPECT_GE(with_history, trials / 3) << "others are cut off earlier, or are about the other memory";
  EXPECT_LE(with_rest, with_history / 4);
  EXPECT_GE(deeper, with_history / 2);
}

TEST(Extension, Keeps_the_prefix_and_adds_to_it) {
  int longer = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Chain chain = generated(seed);
    Choices choices(seed);
    const Chain extended = extend(chain, choices, Growth::step, 2);
    expect_chain(extended);
    ASSERT_GE(extended.statements.size(), chain.statements.size());
    for (std::size_t i = 0; i < chain.statements.size(); ++i) EXPECT_EQ(extended.statements[i], chain.statements[i]);
    longer += step_count(extended) > step_count(chain);
  }
  EXPECT_GE(longer, 100) << "all but those that end in a refusal";
}

TEST(Decoder, Makes_a_chain_of_any_bytes) {
  Choices choices(1);
  int steps = 0;
  for (int round = 0; round < 1000; ++round) {
    std::vector<std::uint8_t> bytes(choices.below(400));
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(choices.below(256));
    const Chain chain = decode(bytes);
    expect_chain(chain);
    EXPECT_EQ(print(chain), print(decode(bytes)));
    steps += step_count(chain);
  }
  EXPECT_GE(steps, 1000);
  expect_chain(decode({}));
}

TEST(Decoder, Reads_records_one_by_one) {
  Choices choices(2);
  int kept = 0;
  for (int round = 0; round < 300; ++round) {
    std::vector<std::uint8_t> bytes(decoded_record * 8);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(choices.below(256));
    const Chain chain = decode(bytes);
    const Chain half = decode(std::span(bytes).first(decoded_record * 4));
    bytes[decoded_record * 4 + choices.below(decoded_record * 4)] ^= 1 << choices.below(8);
    const Chain changed = decode(bytes);
    // What the first half says does not depend on the second; a region left open is closed at the end.
    const auto closed = static_cast<std::size_t>(std::count_if(half.statements.rbegin(), half.statements.rend(), [](const auto& s) {
      return std::holds_alternative<RegionEnd>(s);
    }));
    const std::size_t common = half.statements.size() - closed;
    for (std::size_t i = 0; i < common && closed == 0; ++i) {
      ASSERT_EQ(print(chain, chain.statements[i]), print(changed, changed.statements[i]));
      ASSERT_EQ(print(chain, chain.statements[i]), print(half, half.statements[i]));
      ++kept;
    }
  }
  EXPECT_GE(kept, 300);
}

}  // namespace
}  // namespace gradsmith
