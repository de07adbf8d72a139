// Releases of LibTorch, and what the table and the stored chains say of them.
#include <gtest/gtest.h>

#include "harness/claim.hpp"
#include "harness/op.hpp"
#include "harness/parse.hpp"
#include "harness/release.hpp"

namespace gradsmith {
namespace {

std::variant<std::optional<Claim>, std::string> claim_with(const std::string& headers) {
  return claim_of(std::get<Chain>(parse("gradsmith 1\n" + headers + "a = input f64[] requires_grad values=[0]\nv1 = exp(a)\n")));
}

TEST(Release, Is_what_a_version_begins_with) {
  EXPECT_EQ(parse_release("2.14"), (Release{2, 14}));
  EXPECT_EQ(parse_release("2.11.0"), (Release{2, 11}));
  EXPECT_EQ(parse_release("2.15.0+cpu"), (Release{2, 15}));
  EXPECT_LT((Release{2, 9}), (Release{2, 14}));
  for (const char* text : {"", "2", "2.", ".14", "x.y", "2.14rc"}) EXPECT_FALSE(parse_release(text)) << text;
}

TEST(Release, A_known_issue_claims_to_pass_from_the_release_that_fixed_it) {
  const std::string defect = "# expect: finding wrong-gradient\n";
  EXPECT_EQ(std::get<0>(claim_with(defect))->kind, Claim::Kind::finding);
  EXPECT_EQ(std::get<0>(claim_with(defect + "# fixed: 1.0\n"))->kind, Claim::Kind::pass);
  EXPECT_EQ(std::get<0>(claim_with(defect + "# fixed: 99.0\n"))->kind, Claim::Kind::finding);
  EXPECT_NE(std::get<1>(claim_with(defect + "# fixed: soon\n")).find("\"fixed: soon\""), std::string::npos);
  EXPECT_FALSE(std::get<0>(claim_with("# fixed: 1.0\n")));
}

TEST(Release, Every_revision_is_later_than_the_one_before) {
  for (const Op* op : all_ops())
    for (std::size_t i = 1; i < op->revisions.size(); ++i)
      EXPECT_LT(op->revisions[i - 1].since, op->revisions[i].since) << op->name;
}

}  // namespace
}  // namespace gradsmith
