// The op table against LibTorch: every field of every entry, and the audits against entries that are wrong on purpose.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "harness/actuals.hpp"
#include "harness/files.hpp"
#include "harness/layout.hpp"
#include "properties/chains.hpp"
#include "properties/tool_ops_audits.hpp"

namespace gradsmith {
namespace {

class OpTable : public testing::Test {
 protected:
  static void SetUpTestSuite() { initialize_libtorch(); }
};

void expect_no_complaints(Audit audit, const std::function<bool(const std::string&)>& known = {}) {
  for (const Op* op : product_ops()) {
    Complaints complaints = audit(*op);
    if (known) std::erase_if(complaints, known);
    EXPECT_TRUE(complaints.empty()) << op->name << ": " << brief(complaints);
  }
}

TEST_F(OpTable, Has_at_least_80_entries_with_names_of_their_own) {
  std::set<std::string_view> names;
  for (const Op* op : product_ops()) names.insert(op->name);
  EXPECT_EQ(names.size(), product_ops().size());
  EXPECT_GE(product_ops().size(), 80u);
}

TEST_F(OpTable, Has_cases_of_every_entry_in_every_layout) {
  std::set<std::string> kinds;
  for (const Op* op : product_ops()) {
    const auto cases = cases_of(*op, 150);
    EXPECT_GE(cases.size(), 100u) << op->name;
    std::set<std::string> here;
    for (const OpCase& one : cases)
      for (const auto& statement : one.chain.statements) {
        const auto* input = std::get_if<Input>(&statement);
        if (!input) continue;
        if (element_count(input->shape) == 0) here.insert("0-sized");
        if (input->shape.empty()) here.insert("0-dim");
        if (input->offset) here.insert("offset");
        if (input->strides)
          here.insert(std::count(input->strides->begin(), input->strides->end(), 0) ? "expanded" : "strided");
        else
          here.insert("contiguous");
      }
    for (const auto* kind : {"contiguous", "offset", "expanded", "strided"})
      EXPECT_TRUE(here.contains(kind)) << op->name << " " << kind;
    kinds.insert(here.begin(), here.end());
  }
  EXPECT_TRUE(kinds.contains("0-sized") && kinds.contains("0-dim"));
}

TEST_F(OpTable, Names_parameters_and_defaults_as_LibTorch_does) { expect_no_complaints(audit_schema); }
TEST_F(OpTable, States_the_layout_of_every_result) { expect_no_complaints(audit_layouts); }
TEST_F(OpTable, States_what_shares_memory_cell_by_cell) { expect_no_complaints(audit_aliases); }
TEST_F(OpTable, Gives_finite_values_and_gradients_in_every_corner_of_its_domains) {
  expect_no_complaints(audit_domain);
}
TEST_F(OpTable, States_what_each_node_keeps) { expect_no_complaints(audit_saves); }
TEST_F(OpTable, States_every_byte_of_every_form) { expect_no_complaints(audit_memory); }
TEST_F(OpTable, States_which_check_refuses_first) { expect_no_complaints(audit_checks); }
TEST_F(OpTable, Runs_all_points_of_a_batch_as_it_runs_each_alone) { expect_no_complaints(audit_batched); }

/// Defects of LibTorch that the table does not copy, by signature; each has its chain under corpus/known.
bool is_known_defect(const std::string& complaint) {
  constexpr std::string_view known[] = {
      "wrong-gradient.hardsigmoid.small.f64.cpu",
      "wrong-gradient.hardsigmoid_.small.f64.cpu",  // a float constant
      "wrong-gradient.clamp.large.f64.cpu",
      "wrong-gradient.clamp_.large.f64.cpu",             // bounds that are equal
      "spurious-error.clamp.none-E18-backward.f64.cpu",  // bounds of unlike shapes
      "forward-mode.hardsigmoid.small.f64.cpu",
      "forward-mode.hardsigmoid_.small.f64.cpu",
      "forward-mode.clamp.large.f64.cpu",
      "forward-mode.clamp_.large.f64.cpu",  // a bound that equals the operand
      "forward-mode.prelu.large.f64.cpu",
      "second-order.prelu.large.f64.cpu",  // at 0
      "forward-mode.elu_.large.f64.cpu",   // a negative scale
      "second-order.gelu.nonfinite.f64.cpu",
      "second-order.gelu_.nonfinite.f64.cpu",  // large numbers
      "second-order.pow.large.f64.cpu",        // an exponent of 0
  };
  const std::string_view signature = std::string_view(complaint).substr(0, complaint.find(':'));
  return std::find(std::begin(known), std::end(known), signature) != std::end(known);
}

TEST_F(OpTable, Agrees_with_LibTorch_in_every_form_and_for_every_set_of_graded_operands) {
  expect_no_complaints(audit_agreement, is_known_defect);
}

TEST_F(OpTable, Agrees_in_float_and_in_16_bit_types_and_is_refused_in_none) {
  expect_no_complaints(audit_types, [](std::string complaint) {
    constexpr std::string_view known[] = {"wrong-value.logit.large.", "wrong-value.logit_.large.", "wrong-value.log_softmax.large."};
    for (const std::string_view type : {".f32.", ".bf16.", ".f16."})
      if (const auto at = complaint.find(type); at < complaint.find(':')) complaint.replace(at, type.size(), ".f64.");
    return is_known_defect(complaint) ||
           std::any_of(std::begin(known), std::end(known), [&](std::string_view name) { return complaint.starts_with(name); });
  });
}

TEST_F(OpTable, States_what_forward_mode_and_double_backward_give_and_refuse) {
  expect_no_complaints(audit_modes, is_known_defect);
}

// --- the audits against wrong entries
// ---------------------------------------------------------------------------------

struct Wrong {
  std::string what;
  std::string_view op;
  std::function<void(Op&)> spoil;
  Audit audit;
};

Shaped contiguous_always(const Call& call) { return {.results = {{.layout = contiguous_layout(call.shape(0))}}}; }

const std::vector<Wrong>& wrong_entries() {
  static const std::vector<Wrong> table = {
      {"layout", "relu", [](Op& op) { op.shape = contiguous_always; }, audit_layouts},
      {"shape", "sum", [](Op& op) { op.shape = contiguous_always; }, audit_layouts},
      {"layout of a view", "t", [](Op& op) { op.shape = find_op("detach")->shape; }, audit_layouts},
      {"alias", "narrow", [](Op& op) { op.alias = Alias::none; }, audit_aliases},
      {"alias of a copy", "clone", [](Op& op) { op.alias = Alias::view; }, audit_aliases},
      {"detach for a view", "select", [](Op& op) { op.alias = Alias::detach; }, audit_aliases},
      {"cells of a view", "select",
       [](Op& op) {
         op.shape = [](const Call& call) {
           Shaped shaped = find_op("select")->shape(call);
           if (!shaped.results.empty()) shaped.results[0].layout.offset = call.layout(0).offset;
           return shaped;
         };
       },
       audit_aliases},
      {"maths", "sin", [](Op& op) { op.maths = find_op("cos")->maths; }, audit_agreement},
      {"gradient", "abs", [](Op& op) { op.maths = find_op("relu")->maths; }, audit_agreement},
      {"call", "log2", [](Op& op) { op.pure = find_op("log")->pure; }, audit_agreement},
      {"in-place call", "exp", [](Op& op) { op.inplace = find_op("expm1")->inplace; }, audit_agreement},
      {"what an in-place op leaves", "copy", [](Op& op) { op.functional = find_op("zero")->functional; },
       audit_agreement},
      {"formula of the in-place form", "elu", [](Op& op) { op.maths_inplace = find_op("relu")->maths; },
       audit_agreement},
      {"forms alike to the bit", "elu", [](Op& op) { op.twin_bitwise = true; }, audit_agreement},
      {"refusal in backward left out", "elu", [](Op& op) { op.backward_refusal = nullptr; }, audit_agreement},
      {"refusal in backward", "leaky_relu", [](Op& op) { op.backward_refusal = find_op("elu")->backward_refusal; },
       audit_agreement},
      {"no derivative in place left out", "asinh", [](Op& op) { op.backward_refusal = nullptr; }, audit_agreement},
      {"overlap accepted", "relu", [](Op& op) { op.overlap_unchecked = true; }, audit_agreement},
      {"overlap refused", "threshold", [](Op& op) { op.overlap_unchecked = false; }, audit_agreement},
      {"memory looked at last", "gelu", [](Op& op) { op.memory_first = false; }, audit_checks},
      {"memory looked at first", "celu", [](Op& op) { op.memory_first = true; }, audit_checks},
      {"type without a kernel", "relu",
       [](Op& op) {
         op.pure = [](const Actuals& a) {
           TORCH_CHECK(a[0].scalar_type() != at::kHalf, "\"relu_cpu\" not implemented for 'Half'");
           return at::relu(a[0]);
         };
       },
       audit_types},
      {"maths at the precision of float", "sin", [](Op& op) { op.pure = [](const Actuals& a) { return a[0].sin() * 1.02; }; },
       audit_types},
      {"differentiable operand", "mul", [](Op& op) { op.params[1].differentiable = false; }, audit_schema},
      {"differentiable mask", "masked_fill", [](Op& op) { op.params[1].differentiable = true; }, audit_agreement},
      {"name of a parameter", "elu", [](Op& op) { op.params[1].name = "a"; }, audit_schema},
      {"default", "elu", [](Op& op) { op.params[1].preset = 2.0; }, audit_schema},
      {"name", "mul", [](Op& op) { op.name = "times"; }, audit_schema},
      {"refused attribute", "celu", [](Op& op) { op.shape = nullptr; }, audit_agreement},
      {"domain", "log", [](Op& op) { op.domain.clear(); }, audit_domain},
      {"domain of the divisor", "div", [](Op& op) { op.domain.clear(); }, audit_domain},
      {"upper end of the domain", "exp", [](Op& op) { op.domain[0].hi = 1e3; }, audit_domain},
      {"in-place copy kept", "leaky_relu", [](Op& op) { op.saves[0].reads_inplace = 0; }, audit_saves},
      {"result kept in place", "relu6", [](Op& op) { op.saves[0].reads_inplace = result; }, audit_saves},
      {"kept for numbers too", "pow",
       [](Op& op) {
         for (auto& row : op.saves) row.when = nullptr;
       },
       audit_saves},
      {"kept for any", "mul", [](Op& op) { op.saves[0].of = any; }, audit_saves},
      {"kept for one", "div", [](Op& op) { op.saves[0].of = 0; }, audit_saves},
      {"clone of an in-place form", "relu6", [](Op& op) { op.saves.clear(); }, audit_memory},
      {"no clone of an in-place form", "relu", [](Op& op) { op.saves = find_op("relu6")->saves; }, audit_memory},
      {"no forward mode in place left out", "asinh", [](Op& op) { op.forward_refusal = nullptr; }, audit_modes},
      {"no forward mode", "relu", [](Op& op) { op.forward_refusal = find_op("asinh")->forward_refusal; }, audit_modes},
      {"no second derivative left out", "hardsigmoid", [](Op& op) { op.second_refusal = {}; }, audit_modes},
      {"no second derivative", "relu", [](Op& op) { op.second_refusal = "E23"; }, audit_modes},
      {"batched", "softmax", [](Op& op) { op.batched = op.pure; }, audit_batched},
      {"batched product", "mm", [](Op& op) { op.batched = op.pure; }, audit_batched},
  };
  return table;
}

TEST_F(OpTable, Would_be_caught_wrong_in_any_field) {
  for (const Wrong& wrong : wrong_entries()) {
    Op op = *find_op(wrong.op);
    wrong.spoil(op);
    EXPECT_FALSE(wrong.audit(op).empty()) << wrong.what << " of " << wrong.op;
  }
}

TEST_F(OpTable, A_write_of_floats_into_integers_that_is_not_refused_is_caught) {
  Op wrong = *find_op("mul");
  wrong.inplace = [](const Actuals& a) { a[0].copy_(a[0].mul(a[1])); };
  Chain chain = parse_or_die("gradsmith 1\na = input i64[2] values=[1, 2]\nb = input f32[2]\nmul_(a, b)\n");
  EXPECT_EQ(judge(chain).status, Status::agreed_raise);
  std::get<Step>(chain.statements.back()).op = &wrong;
  EXPECT_EQ(judge(chain).signature.text(), "missing-error.mul_.E20-step-none.f32.cpu");
}

TEST_F(OpTable, Would_be_caught_without_any_single_row_of_saves) {
  for (const Op* op : product_ops())
    for (std::size_t row = 0; row < op->saves.size(); ++row) {
      Op less = *op;
      less.saves.erase(less.saves.begin() + static_cast<std::ptrdiff_t>(row));
      EXPECT_FALSE(audit_saves(less).empty()) << op->name << " without row " << row;
    }
}

TEST_F(OpTable, Would_be_caught_with_a_byte_too_many_or_without_what_a_kernel_needs) {
  for (const Op* op : product_ops()) {
    if (op->alias != Alias::none) continue;  // views take nothing, and no entry can say otherwise
    if (op->mixing == Mixing::named) continue;  // nothing is said of the bytes of mixed types
    Op wrong = *op;
    wrong.memory = nullptr;
    if (!op->memory) wrong.memory = [](const Call&, bool) { return Extra{.most = 1}; };
    EXPECT_FALSE(audit_memory(wrong).empty()) << op->name;
  }
}

TEST_F(OpTable, Would_be_caught_with_a_row_of_saves_too_many) {
  for (const Op* op : product_ops()) {
    if (op->alias != Alias::none || op->name == "where" || op->name == "masked_fill") continue;
    for (const int reads : {0, result}) {
      const bool kept =
          std::any_of(op->saves.begin(), op->saves.end(), [&](const Save& row) { return row.reads == reads; });
      if (kept) continue;
      Op more = *op;
      more.saves.push_back({.reads = reads});
      EXPECT_FALSE(audit_saves(more).empty()) << op->name << " keeping " << reads;
    }
  }
}

}  // namespace
}  // namespace gradsmith
