// Every planted fault is found, by the witness meant for it, and reduced to the chain that shows it; right ops built by
// the same means are never accused.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>

#include "harness/generate.hpp"
#include "harness/judge.hpp"
#include "harness/op.hpp"
#include "harness/print.hpp"
#include "harness/reduce.hpp"
#include "properties/planted.hpp"

namespace gradsmith {
namespace {

constexpr std::uint64_t programs = 20000;
constexpr ReduceLimits patient{.tries = 200000, .seconds = 3600};

Knobs among(std::vector<std::string_view> names) {
  static const bool ready = [] {
    initialize_libtorch();
    return true;
  }();
  (void)ready;
  for (const auto honest : {"mul", "add", "sin", "sum", "narrow", "transpose", "expand", "relu"}) names.emplace_back(honest);
  Knobs knobs;
  for (const auto name : names) knobs.ops.push_back(find_op(name));
  return knobs;
}

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

struct Found {
  Chain chain;
  Signature signature;
};

/// The first program whose finding is of the fault's kind.
std::optional<Found> find(const Planted& fault) {
  const Knobs knobs = among({fault.op});
  for (std::uint64_t seed = 0; seed < programs; ++seed) {
    Choices choices(seed);
    Chain chain = generate(choices, knobs);
    const Verdict verdict = judge(chain, only(fault.witness));
    if (verdict.status == Status::finding && verdict.signature.kind == fault.kind && uses(chain, fault.op))
      return Found{std::move(chain), verdict.signature};
  }
  return std::nullopt;
}

class PlantedFault : public testing::TestWithParam<Planted> {};

TEST_P(PlantedFault, Is_found_by_its_witness_and_reduced_to_what_shows_it) {
  const Planted& fault = GetParam();
  const auto found = find(fault);
  ASSERT_TRUE(found) << "no finding in " << programs << " programs";
  const auto shows = [&](const Chain& chain) {
    const Verdict verdict = judge(chain, only(fault.witness));
    return verdict.status == Status::finding && verdict.signature == found->signature;
  };
  const Reduced reduced = reduce(found->chain, shows, patient);
  EXPECT_TRUE(reduced.complete);
  EXPECT_LE(step_count(reduced.chain), 3);
  EXPECT_TRUE(uses(reduced.chain, fault.op)) << "signature " << found->signature.text();
  EXPECT_EQ(judge(reduced.chain).status, Status::finding) << "with all witnesses";
  const std::string text = print(reduced.chain);
  EXPECT_EQ(text.substr(text.find('\n') + 1), fault.minimum) << found->signature.text();
}

INSTANTIATE_TEST_SUITE_P(Planted, PlantedFault, testing::ValuesIn(planted()),
                         [](const auto& info) { return std::string(info.param.op); });

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
  listed.insert(listed.end(), controls().begin(), controls().end());
  std::vector<std::string_view> linked;
  for (const Op* op : extra_ops()) linked.push_back(op->name);
  EXPECT_EQ(listed, linked);
}

}  // namespace
}  // namespace gradsmith
