// What LibTorch promises of any program, judged by each witness alone and by all together.
#include <algorithm>

#include "properties/torch_chains.hpp"

namespace gradsmith {
namespace {

RC_GTEST_PROP(LibTorch, Gradients_agree_with_the_reference, ()) { check_drawn(knobs_of(0), only(Witness::reference)); }

RC_GTEST_PROP(LibTorch, Refusals_come_when_and_only_when_the_model_says, ()) {
  check_drawn(knobs_of(50), only(Witness::expectation));
}

RC_GTEST_PROP(LibTorch, In_place_equals_out_of_place, ()) { check_drawn(knobs_of(0, 90), only(Witness::twin)); }

RC_GTEST_PROP(LibTorch, Gradients_agree_with_finite_differences, ()) {
  check_drawn(knobs_of(0), only(Witness::difference));
}

RC_GTEST_PROP(LibTorch, All_witnesses_agree_on_any_program, ()) { check_drawn(knobs_of(30)); }

RC_GTEST_PROP(LibTorch, Every_op_alone_agrees, ()) {
  const auto ops = ops_where([](const Op&) { return true; });
  Knobs knobs = knobs_of(0);
  knobs.max_steps = 1;
  knobs.regions = 0;
  for (const Op* op : ops) {
    knobs.ops = {op};
    check_drawn(knobs, {}, 1);
  }
}

/// One operand, both forms.
bool is_activation_in_place(const Op& op) {
  return op.alias == Alias::none && op.inplace && op.pure && op.params.size() >= 1 &&
         std::none_of(op.params.begin() + 1, op.params.end(),
                      [](const Param& param) { return takes_tensor(param.kind); });
}

RC_GTEST_PROP(LibTorch, Activations_written_one_over_another_agree, ()) {
  Knobs knobs = knobs_of(0, 100);
  knobs.views = 0;
  knobs.ops = ops_where(is_activation_in_place);
  check_drawn(knobs);
}

RC_GTEST_PROP(LibTorch, Views_written_in_place_agree, ()) {
  Knobs knobs = knobs_of(15, 80);
  knobs.views = 45;
  knobs.aliasing = 80;
  check_drawn(knobs);
}

RC_GTEST_PROP(LibTorch, Operands_of_unlike_shapes_agree, ()) {
  Knobs knobs = knobs_of(10);
  knobs.ops = ops_where([](const Op& op) {
    return op.name == "expand" || op.name == "sum" || op.name == "where" ||
           (op.alias == Alias::none && op.params.size() > 1 && takes_tensor(op.params[1].kind) && !op.shape);
  });
  check_drawn(knobs);
}

/// Without finite differences: next to a denormal number or a kink there is no room for a step.
RC_GTEST_PROP(LibTorch, Edges_of_the_number_line_agree, ()) {
  Knobs knobs = knobs_of(0);
  knobs.edges = 60;
  knobs.max_steps = 3;
  Plan plan;
  plan.witnesses[static_cast<std::size_t>(Witness::difference)] = false;
  check_drawn(knobs, plan);
}

}  // namespace
}  // namespace gradsmith
