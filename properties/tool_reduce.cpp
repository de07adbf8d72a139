// The reducer against questions whose smallest chain is known: a start, a question, the expected text.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "harness/generate.hpp"
#include "harness/op.hpp"
#include "harness/parse.hpp"
#include "harness/print.hpp"
#include "harness/reduce.hpp"
#include "harness/typing.hpp"
#include "harness/values.hpp"

namespace gradsmith {
namespace {

constexpr ReduceLimits patient{.tries = 200000, .seconds = 3600};

Chain chain_of(const std::string& text) {
  auto parsed = parse("gradsmith 1\n" + text);
  if (const auto* error = std::get_if<ParseError>(&parsed)) {
    ADD_FAILURE() << format_error("test", *error) << "\n" << text;
    return {};
  }
  return std::get<Chain>(parsed);
}

std::string reduced(const std::string& start, const Interesting& question) {
  const Chain chain = chain_of(start);
  EXPECT_TRUE(question(chain)) << start;
  const Reduced result = reduce(chain, question, patient);
  EXPECT_TRUE(result.complete);
  EXPECT_TRUE(question(result.chain));
  const std::string text = print(result.chain);
  return text.substr(text.find('\n') + 1);
}

template <class Test>
bool any_step(const Chain& chain, Test test) {
  return std::any_of(chain.statements.begin(), chain.statements.end(), [&](const Statement& statement) {
    const auto* step = std::get_if<Step>(&statement);
    return step && test(*step);
  });
}

template <class Kind>
int count_of(const Chain& chain) {
  return static_cast<int>(
      std::count_if(chain.statements.begin(), chain.statements.end(),
                    [](const Statement& statement) { return std::holds_alternative<Kind>(statement); }));
}

Value target(const Step& step) { return std::get<Ref>(step.args[0]).value; }

const Step* definer(const Chain& chain, Value value) {
  for (const Statement& statement : chain.statements)
    if (const auto* step = std::get_if<Step>(&statement))
      if (std::find(step->results.begin(), step->results.end(), value) != step->results.end()) return step;
  return nullptr;
}

const Input* input_named(const Chain& chain, Value value) {
  for (const Statement& statement : chain.statements)
    if (const auto* input = std::get_if<Input>(&statement); input && input->name == value) return input;
  return nullptr;
}

bool has_op(const Chain& chain, std::string_view name) {
  return any_step(chain, [&](const Step& step) { return step.op->name == name; });
}

bool exp_of_a_negative_element(const Chain& chain) {
  return any_step(chain, [&](const Step& step) {
    if (step.op->name != "exp") return false;
    const Input* input = input_named(chain, target(step));
    if (!input) return false;
    const auto values = input_storage(*input);
    return std::any_of(values.begin(), values.end(), [](double value) { return value < 0; });
  });
}

bool write_to_a_view(const Chain& chain) {
  return any_step(chain, [&](const Step& step) {
    const Step* from = step.inplace ? definer(chain, target(step)) : nullptr;
    return from && from->op->alias == Alias::view;
  });
}

bool repeated_operand_of_mul(const Chain& chain) {
  return any_step(chain, [](const Step& step) {
    const auto* other = std::get_if<Ref>(step.op->name == "mul" ? &step.args[1] : &step.args[0]);
    return step.op->name == "mul" && other && other->value == target(step);
  });
}

constexpr auto long_start = R"(# expect: finding wrong-gradient
a = input f64[2, 3] requires_grad values=normal(3)
b = input f64[3] requires_grad values=[1, -2.25, 3]
c = input f64[2, 3] strides=[1, 2] offset=1 values=uniform(0.5, 2, 7)
v1 = mul(a, b)
no_grad {
  add_(c, 2)
}
v2 = sin(v1)
neg_(v2)
v3 = exp(a)
v4 = narrow(v3, dim=1, start=1, length=2)
v5 = clone(v4)
v6 = transpose(v5, dim0=0, dim1=1)
mul_(v6, 0.7)
v7 = mul(v5, v5)
v8 = add(v2, c)
backward(v7, v8, cotangent=normal(5), retain_graph)
backward(v8, wrt=[a, b], cotangent=normal(6))
)";

constexpr auto other_start = R"(
x = input f64[4, 1] values=[0.1, -7.123, 3, 4]
y = input f64[4] requires_grad strides=[2] values=normal(1)
r = exp(x)
s = unsqueeze(y, dim=0)
t1 = clone(s)
u = select(t1, dim=0, index=0)
sqrt_(u)
w = mul(u, u)
p, q = split(w, split_size=2, dim=0)
sin_(w)
backward(w, cotangent=[1, 2, 3, 4])
)";

TEST(Reduction, An_exp_of_a_negative_element_needs_one_number) {
  EXPECT_EQ(reduced(long_start, exp_of_a_negative_element), "a = input f64[] values=[-1]\nv1 = exp(a)\n");
}

TEST(Reduction, A_write_to_a_view_needs_a_view_and_a_write) {
  EXPECT_EQ(reduced(long_start, write_to_a_view), "a = input f64[] values=[0]\nv1 = squeeze(a)\nzero_(v1)\n");
}

TEST(Reduction, A_repeated_operand_needs_one_tensor) {
  EXPECT_EQ(reduced(long_start, repeated_operand_of_mul), "a = input f64[] values=[0]\nv1 = mul(a, a)\n");
}

TEST(Reduction, Two_backwards_need_no_step) {
  const auto question = [](const Chain& chain) { return count_of<Backward>(chain) == 2; };
  EXPECT_EQ(reduced(long_start, question), "a = input f64[] values=[0]\nbackward(a)\nbackward(a)\n");
}

TEST(Reduction, A_region_that_matters_stays) {
  const auto question = [](const Chain& chain) { return count_of<RegionBegin>(chain) == 1; };
  EXPECT_EQ(reduced(long_start, question), "no_grad {\n}\n");
}

TEST(Reduction, A_gradient_that_matters_keeps_requires_grad) {
  const auto question = [](const Chain& chain) {
    return any_step(chain, [&](const Step& step) {
      const Input* input = input_named(chain, target(step));
      return input && input->requires_grad;
    });
  };
  EXPECT_EQ(reduced(long_start, question), "a = input f64[] requires_grad values=[0]\nv1 = clone(a)\n");
}

TEST(Reduction, A_write_is_kept_where_the_out_of_place_form_does_not_show_it) {
  const auto question = [](const Chain& chain) {
    return any_step(chain, [](const Step& step) { return step.inplace && step.op->name == "sin"; });
  };
  EXPECT_EQ(reduced(other_start, question), "a = input f64[] values=[0]\nsin_(a)\n");
}

TEST(Reduction, A_write_gives_way_to_the_out_of_place_form) {
  const auto question = [](const Chain& chain) { return has_op(chain, "sqrt"); };
  EXPECT_EQ(reduced(other_start, question), "a = input f64[] values=[0]\nv1 = sqrt(a)\n");
}

TEST(Reduction, A_size_that_matters_is_the_smallest_that_shows_it) {
  const auto question = [](const Chain& chain) {
    const auto typed = type_chain(chain);
    return any_step(chain, [&](const Step& step) {
      return step.op->name == "exp" && element_count(std::get<Typed>(typed).values[target(step)].layout.shape) >= 3;
    });
  };
  EXPECT_EQ(reduced(other_start, question), "a = input f64[3] values=[0, 0, 0]\nv1 = exp(a)\n");
}

TEST(Reduction, A_value_is_rounded_as_far_as_the_question_allows) {
  const auto question = [](const Chain& chain) {
    const auto* input = chain.statements.empty() ? nullptr : std::get_if<Input>(&chain.statements[0]);
    if (!input) return false;
    const auto values = input_storage(*input);
    return std::any_of(values.begin(), values.end(), [](double value) { return value > 7.1 && value < 7.2; });
  };
  EXPECT_EQ(reduced("a = input f64[2] values=[3, 7.12345]\n", question), "a = input f64[] values=[7.12]\n");
}

TEST(Reduction, Splits_follow_the_shape_of_their_operand) {
  const auto question = [](const Chain& chain) {
    return any_step(chain, [](const Step& step) { return step.op->name == "split" && step.results.size() == 2; });
  };
  EXPECT_EQ(reduced(other_start, question), "a = input f64[2] values=[0, 0]\nv1, _ = split(a, split_size=1)\n");
}

const std::pair<const char*, Interesting> questions[] = {
    {"exp of a negative element", exp_of_a_negative_element},
    {"write to a view", write_to_a_view},
    {"repeated operand", repeated_operand_of_mul},
};

TEST(Reduction, Two_starts_of_one_fault_reach_the_same_text) {
  for (const auto& [name, question] : questions)
    EXPECT_EQ(reduced(long_start, question), reduced(other_start, question)) << name;
}

TEST(Reduction, Reducing_twice_changes_nothing) {
  for (const char* start : {long_start, other_start})
    for (const auto& [name, question] : questions) {
      const std::string once = reduced(start, question);
      EXPECT_EQ(reduced(once, question), once) << name;
    }
}

TEST(Reduction, No_question_is_asked_twice) {
  std::vector<std::string> asked;
  reduce(
      chain_of(long_start),
      [&](const Chain& chain) {
        asked.push_back(print(chain));
        return write_to_a_view(chain);
      },
      patient);
  std::sort(asked.begin(), asked.end());
  EXPECT_EQ(std::adjacent_find(asked.begin(), asked.end()), asked.end());
}

TEST(Reduction, The_limit_of_tries_holds_and_is_told) {
  int asked = 0;
  const Interesting question = [&](const Chain& chain) { return ++asked, write_to_a_view(chain); };
  const Reduced result = reduce(chain_of(long_start), question, {.tries = 7, .seconds = 3600});
  EXPECT_EQ(asked, 7);
  EXPECT_EQ(result.tries, 7);
  EXPECT_FALSE(result.complete);
  EXPECT_TRUE(write_to_a_view(result.chain));
}

TEST(Reduction, Without_time_the_chain_comes_back_in_canonical_names) {
  const Reduced result = reduce(chain_of(other_start), write_to_a_view, {.tries = 1000, .seconds = 0});
  EXPECT_FALSE(result.complete);
  EXPECT_EQ(print(result.chain), print(canonical_names(chain_of(other_start))));
}

TEST(Reduction, A_chain_that_nothing_smaller_shows_stays) {
  const Chain start = chain_of(long_start);
  const Reduced result = reduce(
      start, [](const Chain&) { return false; }, patient);
  EXPECT_TRUE(result.complete);
  EXPECT_TRUE(result.chain == canonical_names(start));
}

void expect_sound_candidates(const Chain& start) {
  for (const Pass& pass : passes())
    pass.candidates(start, [&](Chain&& candidate) {
      const std::string text = print(candidate);
      const auto parsed = parse(text);
      const auto* error = std::get_if<ParseError>(&parsed);
      EXPECT_FALSE(error) << pass.name << ": " << (error ? error->message : "") << "\n" << text;
      if (error) return true;
      EXPECT_TRUE(std::get<Chain>(parsed) == candidate) << pass.name << "\n" << text;
      EXPECT_TRUE(simpler(candidate, start)) << pass.name << "\n" << text;
      return testing::Test::HasFailure();
    });
}

TEST(Reduction, Every_candidate_of_every_pass_is_valid_and_simpler) {
  for (const char* text : {long_start, other_start}) expect_sound_candidates(chain_of(text));
}

TEST(Reduction, Candidates_of_generated_chains_are_valid_and_simpler) {
  for (std::uint64_t seed = 0; seed < 200 && !HasFailure(); ++seed) {
    Choices choices(seed);
    expect_sound_candidates(generate(choices));
  }
}

TEST(Reduction, Canonical_names_follow_the_order_of_definition) {
  const Chain chain =
      chain_of("z = input f64[2]\nq = sin(z)\ny = input f64[2]\nu, _ = split(y, split_size=1)\nw = add(q, y)\n");
  EXPECT_EQ(print(canonical_names(chain)),
            print(chain_of(
                "a = input f64[2]\nv1 = sin(a)\nb = input f64[2]\nv2, _ = split(b, split_size=1)\nv3 = add(v1, b)\n")));
}

TEST(Reduction, The_order_puts_steps_before_elements_before_text) {
  const Chain one_step = chain_of("a = input f64[9]\nv1 = sin(a)\n");
  const Chain two_steps = chain_of("a = input f64[]\nv1 = sin(a)\nv2 = sin(v1)\n");
  const Chain smaller = chain_of("a = input f64[8]\nv1 = sin(a)\n");
  EXPECT_TRUE(simpler(one_step, two_steps));
  EXPECT_TRUE(simpler(smaller, one_step));
  EXPECT_FALSE(simpler(one_step, one_step));
}

}  // namespace
}  // namespace gradsmith
