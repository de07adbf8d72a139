// Which op a finding is laid at where the chain around it nearly hides it: one defect must have one name.
#include <gtest/gtest.h>

#include <string>

#include "harness/judge.hpp"
#include "properties/chains.hpp"

namespace gradsmith {
namespace {

/// The signature of what these witnesses find; "none" if they find nothing.
std::string signature_of(const std::string& text, std::initializer_list<Witness> witnesses) {
  initialize_libtorch();
  Plan plan{.witnesses = {}};
  for (const Witness witness : witnesses) plan.witnesses[static_cast<std::size_t>(witness)] = true;
  const Verdict verdict = judge(parse_or_die("gradsmith 1\n" + text), plan);
  return verdict.status == Status::finding ? verdict.signature.text() : "none";
}

TEST(Guilt, Is_not_hidden_by_cotangents_whose_sum_happens_to_be_small) {
  EXPECT_EQ(signature_of("a = input bf16[5, 3, 1] requires_grad values=uniform(0.5, 2, 45561)\n"
                         "v1 = amax(a, dim=[0, 1, 2], keepdim=true)\nv2 = addcdiv(v1, v1, a, value=-2)\n"
                         "clamp_(v2, v1, v1)\nv3 = hardshrink(v1, lambd=1)\nv4 = addcmul(v1, v1, v3, value=0.5)\n"
                         "v5 = sum(a)\n",
                         {Witness::reference}),
            "wrong-gradient.clamp_.large.bf16.cpu");
}

TEST(Guilt, Is_found_where_all_replicas_together_excuse_everyone) {
  EXPECT_EQ(signature_of("a = input f16[4] requires_grad values=[0, 0, 0, 0]\n"
                         "b = input f16[4] requires_grad values=[0, 0, 0, 1.4794921875]\nv1 = exp2(b)\nv2 = clone(v1)\n"
                         "backward(v1, v2, cotangent=normal(0), retain_graph)\ninference {\n  addcmul_(v2, v1, v1)\n}\n"
                         "v3 = cosh(v2)\nbackward(v3, cotangent=normal(50675))\n",
                         {Witness::reference}),
            "wrong-gradient.exp2.nonfinite.f16.cpu");
}

TEST(Guilt, In_forward_mode_is_the_same_whatever_it_is_found_in) {
  const auto forward = [](const std::string& text) { return signature_of(text, {Witness::forward}); };
  const std::string minimum = "forward-mode.minimum.large.f64.cpu";
  EXPECT_EQ(forward("a = input f64[] requires_grad values=[20]\nv1 = exp(a)\nv2 = minimum(a, v1)\n"), minimum);
  // A write besides, and a defect of another op that the chain does not show.
  EXPECT_EQ(forward("a = input f64[] requires_grad values=[20]\nb = input f64[] values=[2]\ncos_(b)\nv1 = exp(a)\n"
                    "v2 = minimum(a, v1)\nv3 = sub(v2, 1)\n"),
            minimum);
  EXPECT_EQ(forward("a = input f64[] requires_grad values=[1]\nv1 = exp(a)\nv2 = minimum(a, v1)\n"), "none");
}

TEST(Guilt, Has_the_magnitude_of_a_kink_on_plain_numbers) {
  for (const std::string slope : {"0.9999999979388463", "0.5"})
    EXPECT_EQ(signature_of("a = input f64[] requires_grad values=[0]\nb = input f64[] values=[" + slope +
                               "]\nv1 = prelu(a, b)\n",
                           {Witness::forward}),
              "forward-mode.prelu.large.f64.cpu");
}

TEST(Guilt, In_a_second_derivative_is_with_the_step_whose_first_is_wrong_by_itself) {
  EXPECT_EQ(signature_of("a = input f64[5] requires_grad values=[1, 0, 0, 0, 0]\n"
                         "b = input f64[5] values=[-1e+300, 0, 0, 0, 3]\nv1 = matmul(a, b)\nv2 = relu6(b)\n"
                         "v3 = addcdiv(v2, v1, v1)\ncosh_(v3)\nv4 = exp(v3)\n",
                         {Witness::second}),
            "second-order.addcdiv.nonfinite.f64.cpu");
}

}  // namespace
}  // namespace gradsmith
