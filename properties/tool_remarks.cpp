// What the remarks say against questions whose answer is known: a chain, a question, the expected text.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "harness/remarks.hpp"
#include "harness/remarks_words.hpp"
#include "harness/op.hpp"
#include "harness/print.hpp"
#include "harness/typing.hpp"
#include "harness/values.hpp"
#include "properties/chains.hpp"

namespace gradsmith {
namespace {

constexpr ReduceLimits patient{.tries = 200000, .seconds = 3600};
constexpr auto one_exp = "gradsmith 1\na = input f64[] values=[-2]\nv1 = exp(a)\n";

std::string explained(const std::string& text, const Interesting& question) {
  const Chain chain = parse_or_die(text);
  EXPECT_TRUE(question(chain)) << text;
  const Remarked result = remark_on(chain, question, patient);
  EXPECT_TRUE(result.complete);
  EXPECT_TRUE(result.chain == chain) << "remarks change nothing";
  EXPECT_EQ(print(parse_or_die(print(result.chain))), print(result.chain)) << "remarks survive";
  return print(result.chain);
}

const Input& first_input(const Chain& chain) { return std::get<Input>(chain.statements[0]); }

/// The question looks at the first input alone; all else must stay as it is.
template <class Holds>
Interesting about_input(const std::string& text, Holds holds) {
  const Chain original = parse_or_die(text);
  return [=](const Chain& chain) {
    if (chain.statements.size() != original.statements.size() || !std::holds_alternative<Input>(chain.statements[0]))
      return false;
    Chain rest = chain;
    rest.statements[0] = original.statements[0];
    const Input &now = first_input(chain), &was = first_input(original);
    return rest == original && now.dtype == was.dtype && now.requires_grad == was.requires_grad && holds(now);
  };
}

/// The same with the shape fixed and a question about every element.
template <class Holds>
Interesting about_values(const std::string& text, Holds holds) {
  const Shape shape = first_input(parse_or_die(text)).shape;
  return about_input(text, [=](const Input& input) {
    const auto values = input_storage(input);
    return input.shape == shape && std::all_of(values.begin(), values.end(), holds);
  });
}

TEST(Remarks, A_chain_in_which_nothing_may_change_gets_no_remark) {
  const Chain chain = parse_or_die(one_exp);
  EXPECT_EQ(explained(one_exp, [&](const Chain& other) { return print(other) == print(chain); }), one_exp);
}

TEST(Remarks, A_number_of_which_only_the_sign_matters_says_so) {
  EXPECT_EQ(explained(one_exp, about_values(one_exp, [](double x) { return x < 0; })),
            "gradsmith 1\na = input f64[] values=[-2]  # must be negative\nv1 = exp(a)\n");
}

TEST(Remarks, A_number_that_may_be_anything_says_so) {
  EXPECT_EQ(explained(one_exp, about_values(one_exp, [](double) { return true; })),
            "gradsmith 1\na = input f64[] values=[-2]  # any value\nv1 = exp(a)\n");
}

TEST(Remarks, A_limit_is_found_to_its_last_digit) {
  EXPECT_EQ(explained(one_exp, about_values(one_exp, [](double x) { return x < -1.37; })),
            "gradsmith 1\na = input f64[] values=[-2]  # any value below -1.37\nv1 = exp(a)\n");
}

TEST(Remarks, Elements_that_do_not_matter_are_told_from_the_one_that_does) {
  const std::string text = "gradsmith 1\na = input f64[3] values=[0, 1, -2]\nv1 = exp(a)\n";
  const auto question = about_input(text, [](const Input& input) {
    return input.shape == Shape{3} && input.values.kind == Spec::Kind::list && input.values.list[2] < 0;
  });
  EXPECT_EQ(
      explained(text, question),
      "gradsmith 1\na = input f64[3] values=[0, 1, -2]  # [0, 1]: any value; [2]: must be negative\nv1 = exp(a)\n");
}

TEST(Remarks, A_size_that_matters_is_told) {
  const std::string text = "gradsmith 1\na = input f64[9] values=normal(3)\nv1 = exp(a)\n";
  const auto question = about_input(text, [](const Input& input) {
    return element_count(input.shape) >= 9 && input.values.kind == Spec::Kind::normal;
  });
  EXPECT_EQ(explained(text, question),
            "gradsmith 1\na = input f64[9] values=normal(3)  # at least 9 elements\nv1 = exp(a)\n");
}

TEST(Remarks, Attributes_are_named) {
  const std::string text = "gradsmith 1\na = input f64[] values=[-2]\nv1 = leaky_relu(a, negative_slope=-1)\n";
  const Input input = first_input(parse_or_die(text));
  const auto question = [=](const Chain& chain) {
    const auto* step = chain.statements.size() == 2 ? std::get_if<Step>(&chain.statements[1]) : nullptr;
    return step && std::get<Input>(chain.statements[0]) == input && step->op->name == "leaky_relu" && !step->inplace &&
           std::get<double>(step->args[1]) < 0;
  };
  EXPECT_EQ(explained(text, question),
            "gradsmith 1\na = input f64[] values=[-2]\n"
            "v1 = leaky_relu(a, negative_slope=-1)  # negative_slope: must be negative\n");
}

TEST(Remarks, Other_ways_to_show_it_stand_at_the_end) {
  const auto uses_exp = [](const Chain& chain) {
    return std::any_of(chain.statements.begin(), chain.statements.end(), [](const Statement& statement) {
      const auto* step = std::get_if<Step>(&statement);
      return step && step->op->name == "exp";
    });
  };
  EXPECT_EQ(explained("gradsmith 1\na = input f64[] values=[0]\nv1 = clone(a)\nexp_(v1)\n", uses_exp),
            "gradsmith 1\na = input f64[] values=[0]  # any value; any shape; requires_grad or not\n"
            "v1 = clone(a)\nexp_(v1)\n"
            "# also shows: in f32, bf16, f16; with exp out of place; under no_grad; under inference; without v1 = "
            "clone(a)\n");
}

TEST(Remarks, Limits_hold_and_are_told) {
  int asked = 0;
  const auto always = [&](const Chain&) { return ++asked, true; };
  const Remarked result = remark_on(parse_or_die(one_exp), always, {.tries = 7, .seconds = 3600});
  EXPECT_EQ(asked, 7);
  EXPECT_EQ(result.tries, 7);
  EXPECT_FALSE(result.complete);
  EXPECT_EQ(print(result.chain), one_exp) << "what was not tried to the end has no remark";
}

std::vector<Tried<double>> tried(const std::vector<double>& shows, const std::vector<double>& hides) {
  std::vector<Tried<double>> out;
  for (const double number : shows) out.push_back({number, true});
  for (const double number : hides) out.push_back({number, false});
  return out;
}

TEST(RemarkWords, Name_what_separates_numbers) {
  EXPECT_EQ(number_words(tried({1, 2, -3}, {})), "any value");
  EXPECT_EQ(number_words(tried({1, 2, 3}, {0, -1})), "must be positive");
  EXPECT_EQ(number_words(tried({0, 1, 2, 3}, {-1})), "must not be negative");
  EXPECT_EQ(number_words(tried({0, -1, -2}, {1})), "must not be positive");
  EXPECT_EQ(number_words(tried({-2, 1, 2, 3}, {0})), "any value but 0");
  EXPECT_EQ(number_words(tried({-2, 1, 2.999}, {3, 4})), "any value below 3");
  EXPECT_EQ(number_words(tried({-2, 1, 2}, {2.0001, 4})), "any value at most 2");
  EXPECT_EQ(number_words(tried({3, 4, 5}, {2.9999, -4})), "any value at least 3");
  EXPECT_EQ(number_words(tried({-1.999, 0, 1}, {2, -2})), "any magnitude below 2");
  EXPECT_EQ(number_words(tried({1, 3, 5}, {2, 4})), "");
  EXPECT_EQ(number_words(tried({1, 2}, {})), "") << "two are a coincidence";
}

TEST(RemarkWords, Name_what_separates_shapes) {
  const auto shapes = [](const std::vector<Shape>& shows, const std::vector<Shape>& hides) {
    std::vector<Tried<Shape>> out;
    for (const Shape& shape : shows) out.push_back({shape, true});
    for (const Shape& shape : hides) out.push_back({shape, false});
    return shape_words(out);
  };
  EXPECT_EQ(shapes({{}, {2}, {2, 3}}, {}), "any shape");
  EXPECT_EQ(shapes({{2}, {5}, {2, 3}}, {{}, {1}}), "at least 2 elements");
  EXPECT_EQ(shapes({{3}, {1, 3}, {3, 1}}, {{2}, {4}}), "any shape of 3 elements");
  EXPECT_EQ(shapes({{1}, {5}, {2, 3}}, {{}}), "at least 1 dimension");
  EXPECT_EQ(shapes({{1}, {5}, {3}}, {{}, {2, 3}}), "any shape of 1 dimension");
  EXPECT_EQ(shapes({{9}, {17}, {33}}, {{}, {3, 3}, {8}}), "1 dimension, at least 9 elements");
  EXPECT_EQ(shapes({{9}, {3}, {33}}, {{}, {3, 3}, {8}}), "");
}

}  // namespace
}  // namespace gradsmith
