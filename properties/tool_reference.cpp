// What the reference must leave open.
#include <gtest/gtest.h>

#include "harness/reference.hpp"
#include "properties/chains.hpp"

namespace gradsmith {
namespace {

Reference reference_of(std::string_view text) {
  const Chain chain = parse_or_die(text);
  return run_reference(chain, std::get<Typed>(type_chain(chain)), {});
}

TEST(Reference, Leaves_a_product_open_whose_value_the_order_decides) {
  const auto open = [](const std::string& numbers, int count) {
    return !reference_of("gradsmith 1\na = input f64[" + std::to_string(count) + "] values=[" + numbers +
                         "]\nb = prod(a, dim=0)\n").open.empty();
  };
  EXPECT_TRUE(open("1e300, 1e300, 0", 3));        // NaN or 0
  EXPECT_TRUE(open("1e300, 1e300, 1e-300", 3));   // infinite or not
  EXPECT_TRUE(open("1e-300, 1e-300, 1e300", 3));  // 0 or not
  EXPECT_TRUE(open("1e-300, 1e-300, inf", 3));    // NaN or infinite
  EXPECT_FALSE(open("1e300, 1e300, 2", 3));       // infinite in every order
  EXPECT_FALSE(open("1e300, 0", 2));              // there is one order
  EXPECT_FALSE(open("1e150, 1e150, 0", 3));       // stays in range
}

TEST(Reference, Leaves_a_subnormal_number_open_that_a_region_wrote) {
  const auto open = [](const std::string& number) {
    return !reference_of("gradsmith 1\na = input f64[] requires_grad values=[" + number +
                         "]\nno_grad {\n  add_(a, a, alpha=-0.5)\n}\nb = selu(a)\n").open.empty();
  };
  EXPECT_TRUE(open("5e-324"));  // 0 where multiplication and addition are fused
  EXPECT_FALSE(open("1"));
}

}  // namespace
}  // namespace gradsmith
