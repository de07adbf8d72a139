// Findings told apart into new and known, after their reduction too.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "harness/findings.hpp"
#include "properties/chains.hpp"
#include "properties/child_program.hpp"

namespace gradsmith::testing {
namespace {

/// clamp_ with equal bounds loses their gradient; who cannot tell which of three writes it was names them all.
constexpr const char* three_writes =
    "gradsmith 1\n"
    "a = input bf16[3, 5, 1] requires_grad offset=3 values=uniform(0.5, 2, 18725)\n"
    "b = input bf16[] requires_grad values=normal(40595)\n"
    "c = input bool[3, 5, 1] values=[0, 1, 1, 1, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0]\n"
    "v1 = where(c, a, a)\n"
    "v2 = squeeze(v1, dim=[2])\n"
    "v3 = flatten(v1, end_dim=1)\n"
    "neg_(v3)\n"
    "backward(v3, cotangent=normal(22953), retain_graph)\n"
    "clamp_(v2, b, b)\n"
    "expm1_(v3)\n"
    "v4 = hardshrink(v2, lambd=0.25)\n"
    "v5 = hardshrink(v2)\n"
    "backward(v5, cotangent=normal(43176), retain_graph)\n";

Signature wrong_gradient_of(const std::string& guilty) {
  return {.kind = FindingKind::wrong_gradient, .guilty = guilty, .detail = "large", .dtype = "bf16"};
}

/// What comes of a finding of three_writes when the wrong gradient of `known` is known.
struct Reduced {
  std::size_t fresh = 0, known = 0;
  std::vector<FindingEntry> entries{};
  std::vector<std::string> announced{};
  std::string page{};
};
Reduced reduced_beside(const std::string& known) {
  const Scratch scratch;
  Store store(scratch / "out");
  KnownTable table;
  const Signature issue = wrong_gradient_of(known), seen = wrong_gradient_of("clamp_+expm1_+neg_");
  table.issues[issue.text()] = {.file = "corpus/known/x.chain", .signature = issue, .steps = 1, .link = "somewhere"};
  Reduced out;
  Findings findings(store, table, {.announce = [&](const std::string& block) { out.announced.push_back(block); }});
  const Chain chain = parse_or_die(three_writes);
  findings.add(seen, {0, "case 0"}, [&] { return chain; }, "headline", "evidence");
  EXPECT_EQ(findings.new_count(), 1U) << "not before it is reduced";
  while (findings.work()) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  findings.finish();
  out.fresh = findings.new_count();
  out.known = findings.known_count();
  out.entries = findings.entries();
  out.page = store.read_finding(seen.text(), "finding.md").value_or("");
  return out;
}

TEST(Findings, What_reduces_to_a_known_issue_is_counted_as_known_and_not_announced) {
  const Reduced reduced = reduced_beside("clamp_");
  EXPECT_EQ(reduced.fresh, 0U);
  EXPECT_EQ(reduced.known, 1U);
  EXPECT_TRUE(reduced.announced.empty());
  ASSERT_EQ(reduced.entries.size(), 1U);
  EXPECT_EQ(reduced.entries[0].signature, "wrong-gradient.clamp_+expm1_+neg_.large.bf16.cpu");
  EXPECT_TRUE(reduced.entries[0].known);
  EXPECT_EQ(reduced.entries[0].file, "corpus/known/x.chain");
  EXPECT_EQ(reduced.entries[0].link, "somewhere");
  EXPECT_NE(reduced.page.find("- known, once reduced: wrong-gradient.clamp_.large.bf16.cpu, corpus/known/x.chain\n"),
            std::string::npos)
      << reduced.page;
}

TEST(Findings, What_reduces_to_something_else_is_new_and_announced) {
  const Reduced reduced = reduced_beside("expm1_");
  EXPECT_EQ(reduced.fresh, 1U);
  EXPECT_EQ(reduced.known, 0U);
  EXPECT_EQ(reduced.announced.size(), 1U);
  ASSERT_EQ(reduced.entries.size(), 1U);
  EXPECT_FALSE(reduced.entries[0].known);
  EXPECT_EQ(reduced.page.find("known, once reduced"), std::string::npos) << reduced.page;
}

}  // namespace
}  // namespace gradsmith::testing
