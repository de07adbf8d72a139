// Every planted fault is found, by the witness meant for it, laid at its own door and reduced to the chain that shows
// it, whatever program it was found in; right ops built by the same means are never accused.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <ostream>
#include <string>

#include "harness/blame.hpp"
#include "harness/claim.hpp"
#include "harness/remarks.hpp"
#include "harness/generate.hpp"
#include "harness/judge.hpp"
#include "harness/op.hpp"
#include "harness/print.hpp"
#include "harness/reduce.hpp"
#include "harness/sanitizers.hpp"
#include "properties/chains.hpp"
#include "properties/planted.hpp"

namespace gradsmith {

/// How a test names its fault.
void PrintTo(const Planted& fault, std::ostream* out) { *out << fault.op; }

namespace {

constexpr std::uint64_t programs = 20000;
constexpr ReduceLimits patient{.tries = 200000, .seconds = 3600};

Plan only(Witness witness) {
  Plan plan{.witnesses = {}};
  plan.witnesses[static_cast<std::size_t>(witness)] = true;
  return plan;
}

bool uses(const Chain& chain, std::string_view op) {
  return std::any_of(chain.statements.begin(), chain.statements.end(), [&](const Statement& statement) {
    const auto* step = std::get_if<Step>(&statement);
    return step && step->op->name == op;
  });
}

/// The first programs in which the fault's own witness sees it.
std::vector<Chain> find(const Planted& fault, std::size_t count) {
  const Knobs knobs = among({fault.op});
  Plan plan = only(fault.witness);
  plan.guilt = false;
  std::vector<Chain> found;
  for (std::uint64_t seed = 0; seed < programs && found.size() < count; ++seed) {
    Choices choices(seed);
    Chain chain = generate(choices, knobs);
    const Verdict verdict = judge(chain, plan);
    if (verdict.status == Status::finding && verdict.signature.kind == fault.kind && uses(chain, fault.op))
      found.push_back(std::move(chain));
  }
  return found;
}

/// All witnesses that may speak of the kind; what changes from run to run is run often.
Plan whole(FindingKind kind) { return plan_for(kind, {}); }

/// As the product reduces: the signature held fixed.
Interesting shows(const Signature& signature) {
  return [=](const Chain& chain) {
    const Verdict verdict = judge(chain, whole(signature.kind));
    return verdict.status == Status::finding && same_bug(signature, verdict.signature);
  };
}

std::string body(const Chain& chain) {
  const std::string text = print(chain);
  return text.substr(text.find('\n') + 1);
}

class PlantedFault : public testing::TestWithParam<Planted> {};

TEST_P(PlantedFault, Is_found_by_its_witness_and_reduced_to_one_text_from_every_start) {
  const Planted& fault = GetParam();
  if (fault.witness == Witness::time && has_sanitizers()) GTEST_SKIP() << "calls take so long here that slowness does not show";
  // Slowness takes many runs to confirm.
  const std::size_t starts = fault.witness == Witness::time ? 4 : 24;
  const auto found = find(fault, starts);
  ASSERT_EQ(found.size(), starts) << "in " << programs << " programs";
  std::map<std::string, std::string> minima, listed;
  for (const Minimum& minimum : fault.minima) listed.emplace(minimum.signature, minimum.chain);
  for (const Chain& start : found) {
    const Verdict verdict = judge(start, whole(fault.kind));
    const Signature& signature = verdict.signature;
    ASSERT_EQ(verdict.status, Status::finding);
    EXPECT_TRUE(signature.guilty == fault.op || signature.guilty == std::string(fault.op) + "_")
        << signature.text() << "\n"
        << print(start);
    const Interesting question = shows(signature);
    const Reduced reduced = reduce(start, question, patient);
    EXPECT_TRUE(reduced.complete);
    EXPECT_LE(step_count(reduced.chain), 3) << signature.text() << "\n" << print(reduced.chain);
    const auto [known, fresh] = minima.emplace(signature.text(), body(reduced.chain));
    EXPECT_EQ(body(reduced.chain), known->second) << signature.text() << " from\n" << print(start);
    if (fresh) {
      EXPECT_EQ(body(reduce(reduced.chain, question, patient).chain), known->second) << "reduced twice";
    }
  }
  EXPECT_EQ(minima, listed);
}

INSTANTIATE_TEST_SUITE_P(Planted, PlantedFault, testing::ValuesIn(planted()),
                         [](const auto& info) { return std::string(info.param.op); });

/// The signature of a chain, all witnesses asked.
std::string signature_of(const std::string& text) {
  among({});
  const Verdict verdict = judge(parse_or_die("gradsmith 1\n" + text));
  return verdict.status == Status::finding ? verdict.signature.text() : "none";
}

TEST(Blame, Of_two_faults_falls_on_the_one_that_made_the_finding) {
  EXPECT_EQ(signature_of("a = input f64[] values=[1]\nv1 = bad_mul_other_dropped(a, a)\nv2 = bad_sin_value_1e6(a)\n"),
            "wrong-value.bad_sin_value_1e6.small.f64.cpu");
}

TEST(Blame, Falls_on_the_wrong_alias_and_not_on_who_writes_through_it) {
  EXPECT_EQ(
      signature_of("a = input f64[] requires_grad values=[1]\nv1 = bad_clone_aliases(a)\nv2 = sin(v1)\ntanh_(v1)\n"),
      "spurious-error.bad_clone_aliases.none-E2-step.f64.cpu");
  EXPECT_EQ(signature_of(
                "a = input f64[] values=[1]\nv1 = bad_transpose_copies(a, dim0=0, dim1=0)\nzero_(a)\nv2 = sinh(v1)\n"),
            "wrong-value.bad_transpose_copies.large.f64.cpu");
}

TEST(Blame, Does_not_change_with_the_magnitude_of_the_numbers) {
  for (const char* value : {"1", "0.05", "-0.02"})
    EXPECT_EQ(signature_of(std::string("a = input f64[] requires_grad values=[") + value +
                           "]\nv1 = clone(a)\nbad_sin_inplace_stale_(v1)\n"),
              "wrong-gradient.bad_sin_inplace_stale_.large.f64.cpu");
}

TEST(Blame, Results_that_change_from_run_to_run_are_nondeterminism) {
  Plan often;
  often.executions = many_executions;
  among({});
  const auto kind = [&](const char* op) {
    return judge(parse_or_die(std::string("gradsmith 1\na = input f64[] values=[1]\nv1 = ") + op + "(a)\n"), often)
        .signature.kind;
  };
  EXPECT_EQ(kind("bad_sin_unsteady"), FindingKind::nondeterminism);
  EXPECT_EQ(kind("good_sin"), FindingKind::none);
}

TEST(Blame, Falls_on_the_op_that_is_wrong_in_an_element_too_small_to_show_beside_another) {
  among({});
  const Chain chain = parse_or_die(
      "gradsmith 1\n"
      "a = input f64[2] values=[0, -60]\n"
      "b = input f64[] requires_grad values=[1]\n"
      "v1 = div(a, b)\n"  // only the second element reaches b
      "v2 = bad_exp_negative_1e6(v1)\n"
      "backward(v2, cotangent=normal(0))\n");
  EXPECT_EQ(judge(chain).signature.text(), "wrong-gradient.bad_exp_negative_1e6.small.f64.cpu");
}

TEST(Difference, Sees_a_fault_where_a_function_turns_within_a_millionth_and_accuses_no_right_one) {
  among({});
  const auto opinion = [](const std::string& op) {
    const Chain chain =
        parse_or_die("gradsmith 1\na = input f64[] requires_grad values=[13.25]\nv1 = cosh(a)\nv2 = " + op + "(v1)\n");
    return judge(chain, only(Witness::difference)).testimonies.at(0).opinion;
  };
  EXPECT_EQ(opinion("bad_sin_twice"), Opinion::disagree);
  EXPECT_EQ(opinion("good_sin"), Opinion::agree);
}

TEST(Blame, Fewer_suspects_are_the_same_bug_and_others_are_not) {
  const auto with = [](const char* guilty) {
    return Signature{.kind = FindingKind::spurious_error, .guilty = guilty, .detail = "none-E5-backward"};
  };
  EXPECT_TRUE(same_bug(with("exp_+mul_"), with("mul_")));
  EXPECT_FALSE(same_bug(with("exp_+mul_"), with("sin_")));
  EXPECT_FALSE(same_bug(with("mul_"), with("exp_+mul_")));
  Signature other = with("mul_");
  other.detail = "none-E6-backward";
  EXPECT_FALSE(same_bug(with("mul_"), other));
}

TEST(Remarks, On_a_planted_fault_say_what_may_stand_there) {
  among({});
  const auto explained = [](const char* text) {
    const Chain chain = parse_or_die(text);
    const Signature signature = judge(chain).signature;
    const auto fault = [&](const Chain& other) {
      const Verdict verdict = judge(other);
      return verdict.status == Status::finding && same_fault(signature, verdict.signature);
    };
    return print(remark_on(chain, fault, patient).chain);
  };
  EXPECT_EQ(explained("gradsmith 1\na = input f64[] requires_grad values=[-1]\nv1 = bad_exp_negative_1e6(a)\n"),
            "gradsmith 1\na = input f64[] requires_grad values=[-1]  # must be negative; any shape\n"
            "v1 = bad_exp_negative_1e6(a)\n# cotangent: any value but 0\n");
  EXPECT_EQ(explained("gradsmith 1\na = input f64[] requires_grad values=[0]\nv1 = bad_exp_factor_1e6(a)\n"),
            "gradsmith 1\na = input f64[] requires_grad values=[0]  # any value; any shape\n"
            "v1 = bad_exp_factor_1e6(a)\n# cotangent: any value but 0\n");
}

TEST(PlantedControls, Are_never_accused) {
  const Knobs knobs = among(controls());
  std::uint64_t passed = 0;
  for (std::uint64_t seed = 0; seed < programs; ++seed) {
    Choices choices(seed);
    const Chain chain = generate(choices, knobs);
    const Verdict verdict = judge(chain);
    ASSERT_NE(verdict.status, Status::finding) << verdict.signature.text() << "\n" << print(chain);
    passed += verdict.status == Status::pass || verdict.status == Status::agreed_raise;
  }
  EXPECT_GT(passed, programs * 9 / 10);
}

TEST(PlantedTable, Has_every_planted_op_once) {
  EXPECT_GE(planted().size(), 30u);
  EXPECT_GE(controls().size(), 8u);
  std::vector<std::string_view> listed;
  for (const Planted& fault : planted()) listed.push_back(fault.op);
  for (const PlantedForLane& fault : planted_for_lanes()) listed.push_back(fault.op);
  for (const DeepPlanted& fault : deep_planted()) listed.push_back(fault.op);
  for (const DeadlyPlanted& fault : deadly_planted()) listed.push_back(fault.op);
  for (const PlantedForSanitizer& fault : planted_for_sanitizers()) listed.push_back(fault.op);
  for (const std::string_view op : graded_by_ulps()) listed.push_back(op);
  for (const PlantedForMixed& fault : planted_for_mixed()) listed.push_back(fault.op);
  for (const PlantedForType& fault : planted_for_types())
    EXPECT_NE(std::find(listed.begin(), listed.end(), fault.op), listed.end()) << fault.op;
  listed.insert(listed.end(), controls().begin(), controls().end());
  std::vector<std::string_view> linked;
  for (const Op* op : extra_ops()) linked.push_back(op->name);
  EXPECT_EQ(listed, linked);
}

}  // namespace
}  // namespace gradsmith
