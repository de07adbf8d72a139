// Every planted fault is found, by the witness meant for it, and reduced to the chain that shows it; right ops built by
// the same means are never accused.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <ostream>
#include <string>

#include "harness/generate.hpp"
#include "harness/judge.hpp"
#include "harness/op.hpp"
#include "harness/print.hpp"
#include "harness/reduce.hpp"
#include "properties/planted.hpp"

namespace gradsmith {

/// How a test names its fault.
void PrintTo(const Planted& fault, std::ostream* out) { *out << fault.op; }

namespace {

constexpr std::uint64_t programs = 20000;
constexpr ReduceLimits patient{.tries = 200000, .seconds = 3600};

Knobs among(std::vector<std::string_view> names) {
  static const bool ready = [] {
    initialize_libtorch();
    return true;
  }();
  (void)ready;
  for (const auto honest : {"mul", "add", "sin", "sum", "narrow", "transpose", "expand", "relu"})
    names.emplace_back(honest);
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

/// The first programs whose finding is of the fault's kind.
std::vector<Found> find(const Planted& fault, std::size_t count) {
  const Knobs knobs = among({fault.op});
  std::vector<Found> found;
  for (std::uint64_t seed = 0; seed < programs && found.size() < count; ++seed) {
    Choices choices(seed);
    Chain chain = generate(choices, knobs);
    const Verdict verdict = judge(chain, only(fault.witness));
    if (verdict.status == Status::finding && verdict.signature.kind == fault.kind && uses(chain, fault.op))
      found.push_back({std::move(chain), verdict.signature});
  }
  return found;
}

/// The same fault. A number may depart by more or by less as the chain shrinks, and where the judge could only list
/// suspects, who they are does not count.
bool same(const Signature& a, const Signature& b, const Planted& fault) {
  const bool blamed = a.guilty == fault.op || a.guilty == std::string(fault.op) + "_";
  const bool numeric = fault.witness != Witness::expectation;
  return a.kind == b.kind && (numeric || a.detail == b.detail) && (!blamed || a.guilty == b.guilty);
}

std::string body(const Chain& chain) {
  const std::string text = print(chain);
  return text.substr(text.find('\n') + 1);
}

class PlantedFault : public testing::TestWithParam<Planted> {};

TEST_P(PlantedFault, Is_found_by_its_witness_and_reduced_to_what_shows_it) {
  constexpr std::size_t starts = 24;  // different programs may stop at different smallest chains
  const Planted& fault = GetParam();
  const auto found = find(fault, starts);
  ASSERT_EQ(found.size(), starts) << "in " << programs << " programs";
  std::optional<Chain> least;
  for (const Found& start : found) {
    const auto shows = [&](const Chain& chain) {
      const Verdict verdict = judge(chain, only(fault.witness));
      return verdict.status == Status::finding && same(start.signature, verdict.signature, fault);
    };
    const Reduced reduced = reduce(start.chain, shows, patient);
    EXPECT_TRUE(reduced.complete);
    EXPECT_TRUE(uses(reduced.chain, fault.op)) << print(reduced.chain);
    EXPECT_LE(step_count(reduced.chain), 4) << start.signature.text() << "\n" << print(reduced.chain);
    if (!least || simpler(reduced.chain, *least)) least = reduced.chain;
  }
  EXPECT_LE(step_count(*least), 3);
  EXPECT_EQ(body(*least), fault.minimum);
  EXPECT_EQ(judge(*least).status, Status::finding) << "with all witnesses";
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
  for (const Planted& fault : deep_planted()) listed.push_back(fault.op);
  listed.insert(listed.end(), controls().begin(), controls().end());
  std::vector<std::string_view> linked;
  for (const Op* op : extra_ops()) linked.push_back(op->name);
  EXPECT_EQ(listed, linked);
}

}  // namespace
}  // namespace gradsmith
