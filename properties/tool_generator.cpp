// What the generator must give: valid chains only, from any source of choices, with every op, view, error and meeting of a
// write with a saved tensor in stated least numbers.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "harness/expect.hpp"
#include "harness/generate.hpp"
#include "harness/parse.hpp"
#include "harness/print.hpp"

namespace gradsmith {
namespace {

using Counts = std::map<std::string, int>;

constexpr int sample_size = 20000;

std::string form(const Step& step) { return std::string(step.op->name) + (step.inplace ? "_" : ""); }

/// What 20,000 chains of the default knobs hold, counted once.
struct Census {
  int invalid = 0, refused = 0, steps = 0, views = 0, with_inplace_form = 0, inplace = 0, longest = 0;
  int rootless = 0, explicit_backward = 0;
  Counts forms, errors, layouts, written_views, relations;
  std::map<std::pair<std::string, std::string>, int> pairs;  // in-place forms, the first before the second

  static const Census& get() {
    static const Census census;
    return census;
  }

 private:
  Census() {
    for (int seed = 0; seed < sample_size; ++seed) {
      Choices choices(static_cast<std::uint64_t>(seed));
      count(generate(choices));
    }
  }

  void count(const Chain& chain) {
    const auto checked = type_chain(chain);
    const auto* typed = std::get_if<Typed>(&checked);
    if (!typed) {
      ++invalid;
      return;
    }
    Model model(true);
    for (const Statement& statement : chain.statements)
      if (!model.expectation().refusal) model.add(statement, *typed);
    model.finish(chain, *typed);
    if (const auto& refusal = model.expectation().refusal) {
      ++refused;
      ++errors[refusal->id];
    } else if (!has_backward(chain) && model.implied_roots().empty()) {
      ++rootless;
    }
    explicit_backward += has_backward(chain);
    constexpr std::string_view where[] = {"same", "overlapping", "disjoint", "other storage"};
    constexpr std::string_view when[] = {"before", "after retained", "after"};
    for (const WriteRelation& relation : model.relations())
      ++relations[std::string(where[static_cast<int>(relation.where)]) + " " +
                  std::string(when[static_cast<int>(relation.when)])];
    longest = std::max(longest, step_count(chain));
    std::map<Value, std::string> view_kinds;
    std::vector<std::string> writes;
    for (const Statement& statement : chain.statements) {
      if (const auto* input = std::get_if<Input>(&statement)) count(*input);
      if (const auto* step = std::get_if<Step>(&statement)) count(*step, view_kinds, writes);
    }
  }

  void count(const Input& input) {
    if (!input.strides) ++layouts[input.offset ? "offset" : "contiguous"];
    else if (std::count(input.strides->begin(), input.strides->end(), 0)) ++layouts["expanded"];
    else ++layouts["strided"];
  }

  void count(const Step& step, std::map<Value, std::string>& view_kinds, std::vector<std::string>& writes) {
    ++steps;
    ++forms[form(step)];
    const Op& op = *step.op;
    const bool view = op.alias != Alias::none;
    views += view;
    if (op.inplace && op.pure) {
      ++with_inplace_form;
      inplace += step.inplace;
    }
    if (view)
      for (const Value result : step.results) view_kinds[result] = op.name;
    if (!step.inplace) return;
    const Value target = Args(step.args).tensor(0);
    if (view_kinds.contains(target)) ++written_views[view_kinds[target]];
    std::vector<std::string> earlier = writes;
    std::sort(earlier.begin(), earlier.end());
    earlier.erase(std::unique(earlier.begin(), earlier.end()), earlier.end());
    for (const std::string& before : earlier) ++pairs[{before, form(step)}];
    writes.push_back(form(step));
  }
};

double share(int part, int whole) { return 100.0 * part / whole; }

/// The name of each entry that stands below its least number.
std::vector<std::string> missing(const Counts& counts, const std::vector<std::string>& names, int least) {
  std::vector<std::string> out;
  for (const std::string& name : names) {
    const auto found = counts.find(name);
    const int count = found == counts.end() ? 0 : found->second;
    if (count < least) out.push_back(name + ": " + std::to_string(count));
  }
  return out;
}

const std::vector<std::string> none;

std::string text_of(std::uint64_t seed) {
  Choices choices(seed);
  return print(generate(choices));
}

void expect_valid(const Chain& chain) {
  const std::string text = print(chain);
  const auto parsed = parse(text);
  if (const auto* error = std::get_if<ParseError>(&parsed)) FAIL() << format_error("chain", *error) << "\n" << text;
  EXPECT_TRUE(std::get<Chain>(parsed) == chain) << text;
  EXPECT_EQ(print(std::get<Chain>(parsed)), text);
}

TEST(Generator, No_chain_is_invalid) { EXPECT_EQ(Census::get().invalid, 0); }

TEST(Generator, Every_chain_reads_back_from_its_text) {
  for (std::uint64_t seed = 0; seed < 3000 && !HasFailure(); ++seed) {
    Choices choices(seed);
    expect_valid(generate(choices));
  }
}

TEST(Generator, Equal_seeds_give_equal_chains) {
  std::size_t different = 0;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    EXPECT_EQ(text_of(seed), text_of(seed));
    different += text_of(seed) != text_of(seed + 1);
  }
  EXPECT_EQ(different, 500u);
}

TEST(Generator, Any_bytes_give_a_valid_chain) {
  Choices empty(std::span<const std::uint8_t>{});
  expect_valid(generate(empty));
  for (std::uint64_t seed = 0; seed < 1000 && !HasFailure(); ++seed) {
    Choices source(seed);
    std::vector<std::uint8_t> bytes(source.below(200));
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(source.below(256));
    Choices choices{std::span<const std::uint8_t>(bytes)};
    expect_valid(generate(choices));
  }
}

TEST(Generator, Bytes_that_are_all_equal_give_a_valid_chain) {
  for (unsigned byte = 0; byte < 256; ++byte) {
    const std::vector<std::uint8_t> bytes(600, static_cast<std::uint8_t>(byte));
    Choices choices{std::span<const std::uint8_t>(bytes)};
    expect_valid(generate(choices));
  }
}

TEST(Generator, Three_chains_in_ten_must_be_refused) {
  const double refused = share(Census::get().refused, sample_size);
  EXPECT_GE(refused, 27);
  EXPECT_LE(refused, 33);
}

TEST(Generator, The_share_of_refused_chains_follows_its_knob) {
  for (const unsigned percent : {0u, 100u}) {
    Knobs knobs;
    knobs.refused = percent;
    for (std::uint64_t seed = 0; seed < 500; ++seed) {
      Choices choices(seed);
      const Chain chain = generate(choices, knobs);
      const auto typed = type_chain(chain);
      ASSERT_TRUE(std::holds_alternative<Typed>(typed));
      EXPECT_EQ(expect(chain, std::get<Typed>(typed)).refusal.has_value(), percent == 100) << print(chain);
    }
  }
}

TEST(Generator, Chains_have_about_six_steps_and_never_more_than_asked) {
  const double mean = static_cast<double>(Census::get().steps) / sample_size;
  EXPECT_GE(mean, 5);
  EXPECT_LE(mean, 7);
  EXPECT_EQ(Census::get().longest, Knobs{}.max_steps);
  for (const int most : {1, 2, 3, 25}) {
    Knobs knobs;
    knobs.max_steps = most;
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
      Choices choices(seed);
      EXPECT_LE(step_count(generate(choices, knobs)), most);
    }
  }
}

TEST(Generator, Half_the_steps_that_can_be_in_place_are_and_a_fifth_are_views) {
  EXPECT_NEAR(share(Census::get().inplace, Census::get().with_inplace_form), 50, 6);
  EXPECT_NEAR(share(Census::get().views, Census::get().steps), 20, 4);
}

TEST(Generator, Few_chains_have_nothing_to_differentiate_and_a_quarter_says_backward) {
  EXPECT_LE(share(Census::get().rootless, sample_size), 2);
  EXPECT_NEAR(share(Census::get().explicit_backward, sample_size), 25, 5);
}

TEST(Generator, Every_op_turns_up_in_both_forms) {
  std::vector<std::string> forms;
  for (const Op* op : all_ops()) {
    if (op->mixing == Mixing::named) continue;  // casts are for mixed chains
    if (op->pure || op->pure_many) forms.emplace_back(op->name);
    if (op->inplace) forms.push_back(std::string(op->name) + "_");
  }
  EXPECT_EQ(missing(Census::get().forms, forms, 100), none);
}

TEST(Generator, Every_kind_of_view_is_written_in_place) {
  std::vector<std::string> kinds;
  for (const Op* op : all_ops())
    if (op->alias != Alias::none) kinds.emplace_back(op->name);
  EXPECT_EQ(missing(Census::get().written_views, kinds, 40), none);
}

TEST(Generator, Every_error_that_a_chain_can_reach_turns_up) {
  EXPECT_EQ(missing(Census::get().errors,
                    {"E1",  "E2",  "E5",  "E6",  "E8",  "E8i", "E9",  "E10", "E11", "E11i", "E13", "E14", "E16",
                     "E17", "E18", "E19", "E20", "E21", "E22", "E23", "E24", "E28", "E29",  "E30", "E31"},
                    20),
            none);
}

TEST(Generator, Writes_meet_saved_tensors_in_every_way) {
  EXPECT_EQ(missing(Census::get().relations,
                    {"same before", "overlapping before", "disjoint before", "other storage before"}, 60), none);
  EXPECT_EQ(missing(Census::get().relations,
                    {"same after", "overlapping after", "disjoint after", "other storage after"}, 10), none);
}

TEST(Generator, Every_layout_of_inputs_turns_up) {
  EXPECT_EQ(missing(Census::get().layouts, {"contiguous", "offset", "expanded", "strided"}, 1000), none);
}

/// 20,000 chains hold nearly every ordered pair of in-place forms; a campaign of a minute holds all many times.
TEST(Generator, Nearly_every_pair_of_in_place_forms_turns_up) {
  std::size_t forms = 0;
  for (const Op* op : all_ops()) forms += op->inplace != nullptr;
  EXPECT_GE(static_cast<double>(Census::get().pairs.size()), 0.97 * static_cast<double>(forms * forms));
}

TEST(Generator, Only_the_ops_asked_for_are_used) {
  Knobs knobs;
  knobs.ops = {find_op("relu"), find_op("mul"), find_op("narrow")};
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Choices choices(seed);
    const Chain chain = generate(choices, knobs);
    for (const Statement& statement : chain.statements) {
      const auto* step = std::get_if<Step>(&statement);
      if (!step) continue;
      EXPECT_NE(std::find(knobs.ops.begin(), knobs.ops.end(), step->op), knobs.ops.end()) << print(chain);
    }
  }
}

TEST(Generator, Inputs_stay_small_and_pass_vector_widths) {
  std::map<std::int64_t, int> sizes;
  for (std::uint64_t seed = 0; seed < 5000; ++seed) {
    Choices choices(seed);
    for (const Statement& statement : generate(choices).statements)
      if (const auto* input = std::get_if<Input>(&statement)) ++sizes[element_count(input->shape)];
  }
  for (const std::int64_t width : {0, 1, 7, 8, 9, 15, 16, 17, 33}) EXPECT_GE(sizes[width], 10) << width;
}

}  // namespace
}  // namespace gradsmith
