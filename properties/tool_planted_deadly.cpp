// Faults that end or stop the process that judges: each is named, in a backward too, and what is judged beside it is
// answered all the same.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <ostream>
#include <set>

#include "harness/blame.hpp"
#include "harness/signature_apart.hpp"
#include "properties/chains.hpp"
#include "properties/child_program.hpp"
#include "properties/planted.hpp"

namespace gradsmith {

/// How a test names its fault.
void PrintTo(const DeadlyPlanted& fault, std::ostream* out) { *out << fault.op; }

namespace {

using testing::body;
using testing::content;
using testing::Program;
using testing::Scratch;
using Json = nlohmann::json;

constexpr double patience = 3;  // seconds; on a busy machine LibTorch takes one to start

/// A longer chain in which the fault shows: its operand is a column that does not begin at the start of the storage.
Chain chain_with(std::string_view op) {
  return parse_or_die(
      "gradsmith 1\na = input f64[2, 3] requires_grad values=normal(1)\nv1 = exp(a)\n"
      "v2 = narrow(v1, dim=1, start=1, length=2)\nv3 = " +
      std::string(op) + "(v2)\nv4 = mul(v3, v3)\n");
}

std::string text_of(const std::optional<Signature>& signature) { return signature ? signature->text() : "none"; }

class DeadlyFault : public ::testing::TestWithParam<DeadlyPlanted> {};

TEST_P(DeadlyFault, Is_named_when_it_is_judged_apart) {
  EXPECT_EQ(text_of(signature_apart(chain_with(GetParam().op), {}, patience)), GetParam().signature);
  const Chain harmless = parse_or_die(
      "gradsmith 1\na = input f64[2] requires_grad values=normal(1)\nv1 = " + std::string(GetParam().op) + "(a)\n");
  EXPECT_EQ(text_of(signature_apart(harmless, {}, patience)), "none");
}

INSTANTIATE_TEST_SUITE_P(Planted, DeadlyFault, ::testing::ValuesIn(deadly_planted()),
                         [](const auto& info) { return std::string(info.param.op); });

TEST(DeadlyFaults, Leave_all_other_answers_in_their_places) {
  const Chain fine = parse_or_die("gradsmith 1\na = input f64[2] requires_grad values=normal(1)\nv1 = sin(a)\n");
  const Chain wrong = parse_or_die("gradsmith 1\na = input f64[] requires_grad values=[0]\nv1 = hardsigmoid(a)\n");
  Plan leak;
  leak.lanes[static_cast<std::size_t>(Lane::leak)] = true;
  const std::string hardsigmoid = "wrong-gradient.hardsigmoid.small.f64.cpu";
  const auto answers = signatures_apart({{wrong, {}},
                                         {chain_with("bad_sin_crashes"), {}},
                                         {wrong, leak},
                                         {fine, {}},
                                         {chain_with("bad_sin_crashes"), {}},
                                         {wrong, {}},
                                         {fine, leak}},
                                        patience);
  std::vector<std::string> texts;
  for (const auto& answer : answers) texts.push_back(text_of(answer));
  const std::string crash = "crash.bad_sin_crashes.SIGSEGV.f64.cpu";
  EXPECT_EQ(texts, (std::vector<std::string>{hardsigmoid, crash, hardsigmoid, "none", crash, hardsigmoid, "none"}));
}

TEST(DeadlyFaults, One_that_names_no_op_is_the_same_bug_as_one_that_does) {
  const Signature named{.kind = FindingKind::crash, .guilty = "sin", .detail = "SIGSEGV"};
  Signature unnamed = named;
  unnamed.guilty.clear();
  EXPECT_TRUE(same_bug(unnamed, named));
  EXPECT_FALSE(same_bug(named, unnamed));
  unnamed.kind = FindingKind::wrong_value;
  EXPECT_FALSE(same_bug(unnamed, named));
}

TEST(DeadlyFaults, A_run_tells_crashes_of_two_ops_apart_and_reduces_both) {
  const Scratch scratch;
  const std::string out = scratch / "out";
  const auto run = Program(GRADSMITH_PLANTED_BINARY,
                           {"run", "--seed", "7", "--cases", "60", "--ops",
                            "bad_sin_crashes,bad_sin_crashes_in_backward,mul,exp,narrow,transpose", "--out", out})
                       .wait();
  ASSERT_EQ(run.code, 1) << run.out << run.err;
  std::set<std::string> found;
  const Json summary = Json::parse(content(out + "/summary.json"));
  for (const Json& finding : summary["findings"]) {
    found.insert(finding["signature"]);
    EXPECT_LE(finding["steps"], 1) << body(content(out + "/" + finding["file"].get<std::string>()));
  }
  EXPECT_EQ(found, (std::set<std::string>{"crash.bad_sin_crashes.SIGSEGV.f64.cpu",
                                          "crash.bad_sin_crashes_in_backward.SIGSEGV.f64.cpu"}));
}

}  // namespace
}  // namespace gradsmith
