// Which planted fault must be seen in which narrow type, and what must be left of the chain in the end; and which in
// mixed types.
#include "properties/planted.hpp"

namespace gradsmith {

const std::vector<PlantedForType>& planted_for_types() {
  static const std::vector<PlantedForType> table = {
      {"bad_sin_value_1e3", DType::f32, {"wrong-value.bad_sin_value_1e3.large.f32.cpu", R"(a = input f32[] values=[1]
v1 = bad_sin_value_1e3(a)
)"}},
      {"bad_exp_factor_1e3", DType::f32, {"wrong-gradient.bad_exp_factor_1e3.large.f32.cpu", R"(a = input f32[] requires_grad values=[0]
v1 = bad_exp_factor_1e3(a)
)"}},
      {"bad_sin_value_4_ulp", DType::bf16, {"wrong-value.bad_sin_value_4_ulp.large.bf16.cpu", R"(a = input bf16[] values=[1]
v1 = bad_sin_value_4_ulp(a)
)"}},
      {"bad_sin_value_4_ulp", DType::f16, {"wrong-value.bad_sin_value_4_ulp.large.f16.cpu", R"(a = input f16[] values=[0]
v1 = bad_sin_value_4_ulp(a)
)"}},
      {"bad_sin_gradient_8_ulp", DType::bf16, {"wrong-gradient.bad_sin_gradient_8_ulp.large.bf16.cpu", R"(a = input bf16[] requires_grad values=[0]
v1 = bad_sin_gradient_8_ulp(a)
)"}},
      {"bad_sin_gradient_8_ulp", DType::f16, {"wrong-gradient.bad_sin_gradient_8_ulp.large.f16.cpu", R"(a = input f16[] requires_grad values=[0]
v1 = bad_sin_gradient_8_ulp(a)
)"}},
  };
  return table;
}

const std::vector<PlantedForMixed>& planted_for_mixed() {
  static const std::vector<PlantedForMixed> table = {
      {"bad_mul_rounds_twice", "wrong-value.bad_mul_rounds_twice."},
      {"bad_mul_in_first_type", "wrong-value.bad_mul_in_first_type."},
      {"bad_mul_scalars_decide", "wrong-value.bad_mul_scalars_decide."},
      {"bad_mul_narrow_gradient", "wrong-gradient.bad_mul_narrow_gradient."},
      {"bad_mul_keeps_narrow", "wrong-value.bad_mul_keeps_narrow_."},
  };
  return table;
}

}  // namespace gradsmith
