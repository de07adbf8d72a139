// Casts to a floating type: to.
#include "harness/actuals.hpp"
#include "harness/machine.hpp"
#include "harness/ops/family.hpp"

namespace gradsmith::ops {
namespace {

/// The operand itself where it has the type already, else a copy laid out as clone's.
Shaped cast_rule(const Call& call) {
  if (call.tensors[0]->dtype != call.args.dtype(1)) return like_operand(call);
  return {.results = {{.layout = call.layout(0), .same_object = true}}};
}

}  // namespace

std::vector<const Op*> casts() {
  static Op table[] = {
      {.name = "to",
       .params = {tensor(),
                  {.name = "dtype", .kind = Kind::dtype, .choices = {DType::f64, DType::f32, DType::bf16, DType::f16}}},
       .shape = cast_rule,
       .maths = elementwise([](const Var& x, const Args&) { return x; }),
       .pure = [](const Actuals& a) { return a[0].to(scalar_type(a.dtype(1))); },
       .domain = {{-65280, 65280}},  // what float16 holds, and bfloat16 too
       .mixing = Mixing::named},
  };
  return entries(table);
}

}  // namespace gradsmith::ops
