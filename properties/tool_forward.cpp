// The witness of forward mode: what it judges, what it foresees, and where it holds back.
#include <gtest/gtest.h>

#include "harness/judge.hpp"
#include "properties/chains.hpp"

namespace gradsmith {
namespace {

/// What forward mode says of a chain, asked alone.
Testimony forward_of(const std::string& text) {
  initialize_libtorch();
  Plan plan{.witnesses = {}};
  plan.witnesses[static_cast<std::size_t>(Witness::forward)] = true;
  return judge(parse_or_die("gradsmith 1\n" + text), plan).testimonies.at(0);
}
std::string words_of(const std::string& text) {
  const Testimony t = forward_of(text);
  return std::string(opinion_name(t.opinion)) + (t.reason.empty() ? "" : ": " + t.reason);
}

TEST(Forward, Judges_tangents_through_writes_and_views) {
  EXPECT_EQ(words_of("a = input f64[2, 3] requires_grad\nb = input f64[3] requires_grad values=normal(1)\nv1 = sin(a)\n"
                     "v2 = narrow(v1, dim=0, start=1, length=1)\nmul_(v2, b)\nv3 = sum(v1, dim=[0])\nexp_(v3)\n"),
            "agree");
}

TEST(Forward, Judges_what_only_a_backward_refuses) {
  EXPECT_EQ(words_of("a = input f64[3] requires_grad\nv1 = exp(a)\nmul_(v1, 2)\nbackward(v1, cotangent=normal(5))\n"),
            "agree");
  EXPECT_EQ(words_of("a = input f64[3] requires_grad\nmul_(a, 2)\n"), "skipped: refused");
}

TEST(Forward, Sees_no_no_grad_regions) {
  EXPECT_EQ(words_of("a = input f64[3] requires_grad\nv1 = sin(a)\nno_grad {\n  v2 = exp(a)\n  add_(v1, v2)\n}\nv3 = "
                     "mul(v1, v2)\n"),
            "agree");
}

TEST(Forward, Stops_at_detach_and_in_inference_mode) {
  EXPECT_EQ(words_of("a = input f64[3] requires_grad\nv1 = sin(a)\nv2 = detach(v1)\nadd_(v2, 1)\nv3 = add(v1, v2)\n"),
            "agree");
  EXPECT_EQ(words_of("a = input f64[3] requires_grad\nv1 = sin(a)\ninference {\n  v2 = exp(a)\n}\nv3 = add(v1, v2)\n"),
            "agree");
}

TEST(Forward, Foresees_what_has_no_formula) {
  EXPECT_EQ(words_of("a = input f64[3] requires_grad\nv1 = clone(a)\nrrelu_(v1)\nv2 = sin(v1)\n"),
            "agree: refused as it must be: E23b");
  EXPECT_EQ(words_of("a = input f64[3]\nb = input f64[3] requires_grad\nasinh_(a)\nv1 = mul(a, b)\n"), "agree");
}

TEST(Forward, Blames_the_op_that_loses_a_slope_too_small_to_show_by_itself) {
  initialize_libtorch();
  Plan plan{.witnesses = {}};
  plan.witnesses[static_cast<std::size_t>(Witness::forward)] = true;
  const Chain chain = parse_or_die(
      "gradsmith 1\na = input f64[] requires_grad values=[1e+300]\nv1 = asinh(a)\nv2 = addcmul(a, a, v1)\n");
  EXPECT_EQ(judge(chain, plan).signature.text(), "forward-mode.asinh.large.f64.cpu");
}

TEST(Forward, Knows_the_hole_of_an_operand_that_is_written) {
  const std::string hole = "a = input f64[3] requires_grad\nv1 = sin(a)\nno_grad {\n  mul_(v1, v1)\n}\n";
  EXPECT_EQ(words_of(hole + "v2 = exp(v1)\n"), "skipped: known hole U21");
  EXPECT_EQ(words_of("a = input f64[3] requires_grad\nv1 = sin(a)\nadd_(v1, v1)\nv2 = exp(v1)\n"), "agree");
}

TEST(Forward, Is_for_float64_and_for_chains_with_leaves) {
  EXPECT_EQ(words_of("a = input f32[3] requires_grad\nv1 = sin(a)\n"), "skipped: float64 only");
  EXPECT_EQ(words_of("a = input f64[3]\nv1 = sin(a)\n"), "skipped: no leaf requires grad");
}

TEST(Forward, Foresees_a_tangent_that_is_copied_where_its_tensor_is_not) {
  const std::string expanded = "a = input f64[] requires_grad\nv1 = expand(a, size=[2])\n";
  const std::string detached = expanded + "v2 = detach(v1)\nno_grad {\n  ";
  EXPECT_EQ(words_of(detached + "copy_(v2, v1)\n}\n"), "agree: refused as it must be: E13");
  EXPECT_EQ(words_of(detached + "copy_(v1, v2)\n}\n"), "agree");  // no tangent comes: zeros are filled in
  EXPECT_EQ(words_of(expanded + "v2 = view(v1, size=[2])\nno_grad {\n  copy_(v2, v1)\n}\n"), "agree");
}

TEST(Forward, Gives_equal_tangents_to_positions_that_share_a_cell) {
  EXPECT_EQ(words_of("a = input f64[3, 2] requires_grad strides=[0, 1] values=[1, 2, 1, 2, 1, 2]\nv1 = sin(a)\n"),
            "agree");
}

}  // namespace
}  // namespace gradsmith
