#include "harness/blame.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "harness/compare.hpp"
#include "harness/device.hpp"
#include "harness/each_op.hpp"
#include "harness/execute.hpp"
#include "harness/expect.hpp"
#include "harness/guilt.hpp"
#include "harness/probe.hpp"
#include "harness/reference.hpp"

namespace gradsmith {
namespace {

constexpr std::string_view too_many = "several";  // suspects, that is

/// The class of a relative departure, coarse enough that one defect shows the same in every chain: "large" (a formula),
/// "small" (a constant in float precision), "ulps".
std::string magnitude(const Testimony& t) {
  const double scale = std::max(std::abs(t.observed), std::abs(t.expected));
  const double relative = std::abs(t.observed - t.expected) / scale;
  if (!std::isfinite(relative)) return "nonfinite";
  return relative >= 1e-5 ? "large" : relative >= 1e-13 ? "small" : "ulps";
}

/// "E5-backward-none": expected, then seen.
std::string error_detail(const Verdict& verdict) {
  const auto word = [](const std::optional<Refusal>& r) {
    return r ? r->id + (r->phase.kind == Phase::Kind::step ? "-step" : "-backward") : std::string("none");
  };
  return word(verdict.expectation.refusal) + "-" + word(verdict.outcome.refusal);
}

/// All ops that can take the blame when no single step can: the forms of the in-place steps, else of all steps.
std::string suspects(const Chain& chain) {
  std::set<std::string> writes, all;
  for (const auto& statement : chain.statements)
    if (const auto* step = std::get_if<Step>(&statement)) (step->inplace ? writes : all).insert(form_of(*step));
  const auto& forms = writes.empty() ? all : writes;
  return forms.size() > 3 ? std::string(too_many) : fmt::format("{}", fmt::join(forms, "+"));
}

std::set<std::string_view> listed(std::string_view guilty) {
  std::set<std::string_view> forms;
  for (std::size_t at = 0; at <= guilty.size();) {
    const std::size_t end = std::min(guilty.find('+', at), guilty.size());
    forms.insert(guilty.substr(at, end - at));
    at = end + 1;
  }
  return forms;
}

const Step* step_at(const Chain& chain, const Phase& phase) {
  int number = 0;
  for (const auto& statement : chain.statements)
    if (const auto* step = std::get_if<Step>(&statement))
      if (++number == phase.number) return step;
  return nullptr;
}

bool same_arrays(const std::vector<std::optional<Array>>& a, const std::vector<std::optional<Array>>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.has_value() == y.has_value() &&
           (!x || (x->data.size() == y->data.size() && first_bit_difference(x->data, y->data) < 0));
  });
}

bool same_outcomes(const Outcome& a, const Outcome& b) {
  if (a.refusal.has_value() != b.refusal.has_value()) return false;
  if (a.refusal) return a.refusal->id == b.refusal->id && a.refusal->phase == b.refusal->phase;
  return same_arrays(a.values, b.values) && same_arrays(a.gradients, b.gradients);
}

/// A chain that this file made comes out the same each time.
bool steady_alone(const Chain& chain) {
  const auto typed = type_chain(chain);
  if (!std::holds_alternative<Typed>(typed)) return true;
  std::vector<Value> roots;
  expect(chain, std::get<Typed>(typed), &roots);
  return steady(chain, roots, execute(chain, roots), 2);
}

Signature unsteady(const Chain& chain) {
  return {
      .kind = FindingKind::nondeterminism, .detail = "repeat", .dtype = std::string(floating_type_name(chain))};
}

/// Looks for the step that shows a fault by itself.
class Search {
 public:
  /// `wanted`: the signature that the testimony alone would give.
  Search(const Chain& chain, const Typed& typed, const Signature& wanted) : wanted_(wanted) {
    // Where each op is judged by itself it is on the numbers that LibTorch gave it.
    const auto given = in_16_bits(chain) ? execute_operands(chain) : std::vector<std::map<Value, Operand>>(chain.statements.size());
    for (std::size_t i = chain.statements.size(); i-- > 0;) {
      if (const auto* backward = std::get_if<Backward>(&chain.statements[i]))
        named_gradients_ |= !backward->results.empty();
      if (std::holds_alternative<Step>(chain.statements[i]))
        if (auto alone = given[i].empty() ? isolate(chain, typed, i)
                                          : isolate(chain, typed, i, [&](Value value) { return given[i].at(value); }))
          isolated_.emplace(i, *std::move(alone));
    }
  }

  /// What a step shows by itself, in a probe of it, or where one operand's tangent is much larger than the others'. For
  /// derivatives along a direction.
  std::optional<Signature> fault_at(std::size_t statement, const Plan& plan) const {
    const auto at = isolated_.find(statement);
    if (at == isolated_.end()) return std::nullopt;
    const Chain& alone = at->second;
    const std::vector<Chain> stretches = stretched(alone);
    if (auto shown = fault_of(alone, alone, plan)) {
      *shown = on_plain_numbers(alone, *shown, plan);
      for (const Chain& stretch : stretches) graver(*shown, stretch, plan);
      return shown;
    }
    for (const auto& chains : {probes(alone), stretches})
      for (const Chain& probe : chains)
        if (auto shown = fault_of(probe, alone, plan)) {
          for (const Chain& stretch : stretches) graver(*shown, stretch, plan);
          return shown;
        }
    return std::nullopt;
  }

  /// The same of any step, the last first.
  std::optional<Signature> any_fault(const Plan& plan) const {
    for (const auto& [statement, alone] : isolated_)
      if (auto fault = fault_at(statement, plan)) return fault;
    for (const auto& [statement, alone] : isolated_)
      for (const Chain& probe : stretched_far(alone))
        if (auto shown = fault_of(probe, alone, plan)) return shown;
    return std::nullopt;
  }

  /// The likeliest fault of a step alone, of equally likely ones the last; else the first probe of a step that shows
  /// one.
  std::optional<Signature> culprit(const Plan& plan) const {
    std::optional<Signature> likeliest;
    const Chain* at_fault = nullptr;
    for (const auto& [statement, alone] : isolated_)
      if (auto shown = fault_of(alone, alone, plan);
          shown && (!likeliest || likelihood(*shown) > likelihood(*likeliest))) {
        likeliest = std::move(shown);
        at_fault = &alone;
      }
    if (likeliest) return on_plain_numbers(*at_fault, *likeliest, plan);
    for (const auto& [statement, alone] : isolated_)
      for (const Chain& probe : probes(alone))
        if (auto shown = fault_of(probe, alone, plan)) return on_plain_numbers(probe, *shown, plan);
    return std::nullopt;
  }

 private:
  std::optional<Signature> fault_of(const Chain& probe, const Chain& alone, const Plan& plan) const {
    const Verdict verdict = judge(probe, plan);
    Signature signature = verdict.signature;
    if (verdict.status != Status::finding) {
      if (&probe != &alone || steady_alone(alone)) return std::nullopt;
      signature = unsteady(alone);
    }
    // A wrong derivative does not make a value wrong.
    if (wanted_.kind == FindingKind::wrong_value && signature.kind == FindingKind::wrong_gradient && !named_gradients_)
      return std::nullopt;
    signature.guilty = form_of(std::get<Step>(alone.statements.back()));
    return signature;
  }

  /// With the greatest magnitude that the fault has on plain numbers or those of the chain: a wrong formula is nearly
  /// right near zero, and must not be another bug there. Zeros are kept in turn: a fault may be at a kink.
  static Signature on_plain_numbers(const Chain& probe, Signature signature, const Plan& plan) {
    if (gravity(signature) == 2) return signature;
    for (const bool zeros_stay : {false, true})
      for (const double number : {1.0, -1.0, 2.0, 0.5}) {
        Chain plain = probe;
        for (Statement& statement : plain.statements)
          if (auto* input = std::get_if<Input>(&statement); input && is_floating(input->dtype))
            for (double& element : input->values.list)
              if (element != 0 || !zeros_stay) element = number;
        graver(signature, plain, plan);
      }
    return signature;
  }

  /// Takes the magnitude that `other` shows, if that is greater.
  static void graver(Signature& signature, const Chain& other, const Plan& plan) {
    const Verdict verdict = judge(other, plan);
    if (verdict.status == Status::finding && verdict.signature.kind == signature.kind &&
        gravity(verdict.signature) > gravity(signature))
      signature.detail = verdict.signature.detail;
  }

  static int gravity(const Signature& signature) {
    return signature.detail == "ulps" ? 0 : signature.detail == "small" ? 1 : 2;
  }

  /// Of several faults in one chain, the one that made the finding is of its kind and as grave.
  int likelihood(const Signature& signature) const {
    if (signature.kind != wanted_.kind) return gravity(signature);
    return 3 + gravity(signature) + 3 * (signature.detail == wanted_.detail);
  }

  const Signature& wanted_;
  bool named_gradients_ = false;
  std::map<std::size_t, Chain, std::greater<>> isolated_{};  // by statement, the last first
};

/// The steps after which a chain departs by more than its replicas do, up to the first after which that is a finding of this
/// kind: what one step leaves within the rounding of the largest elements may stand alone after another.
std::vector<std::size_t> first_showing(const Chain& chain, FindingKind kind, const Plan& plan) {
  std::vector<std::size_t> steps;
  Chain part = chain;
  part.statements.clear();
  int open = 0;
  for (std::size_t i = 0; i < chain.statements.size(); ++i) {
    part.statements.push_back(chain.statements[i]);
    open += std::holds_alternative<RegionBegin>(chain.statements[i]);
    open -= std::holds_alternative<RegionEnd>(chain.statements[i]);
    if (!std::holds_alternative<Step>(chain.statements[i])) continue;
    Chain closed = part;
    closed.statements.insert(closed.statements.end(), static_cast<std::size_t>(open), RegionEnd{});
    const Verdict verdict = judge(closed, plan);
    const bool shows = verdict.status == Status::finding && verdict.signature.kind == kind;
    const bool nearly = std::any_of(verdict.testimonies.begin(), verdict.testimonies.end(),
                                    [](const Testimony& t) { return t.ratio > 1; });
    if (shows || nearly) steps.push_back(i);
    if (shows) break;
  }
  return steps;
}

/// As `asked`, but for these witnesses alone.
Plan asking(std::initializer_list<Witness> witnesses, const Plan& asked) {
  Plan plan{.witnesses = {}, .guilt = false, .device = asked.device};
  plan.lanes[static_cast<std::size_t>(Lane::tf32)] = asked.lanes[static_cast<std::size_t>(Lane::tf32)];
  for (const Witness witness : witnesses) plan.witnesses[static_cast<std::size_t>(witness)] = true;
  return plan;
}

/// The op at fault in a wrong gradient: of several that may be, the last that makes a wrong one of what arrives at it, as
/// `figures` asks; empty if nobody is accused.
std::string guilty_of(const std::vector<Accused>& accused, const Chain& chain, const Typed& typed, const Plan& figures) {
  const auto form = [&](const Accused& one) { return form_of(std::get<Step>(chain.statements[one.statement])); };
  for (std::size_t i = 0; accused.size() > 1 && i < accused.size(); ++i) {
    auto alone = isolate(chain, typed, accused[i].statement);
    if (!alone) continue;
    const Step& step = std::get<Step>(alone->statements.back());
    const Value product = step.inplace ? Args(step.args).tensor(0) : step.results[0];
    Spec cotangent{.kind = Spec::Kind::list, .list = accused[i].cotangent};
    alone->statements.emplace_back(Backward{.roots = {product}, .cotangent = std::move(cotangent)});
    if (judge(*alone, figures).status == Status::finding) return form(accused[i]);
  }
  return accused.empty() ? std::string() : form(accused.front());
}

/// The one floating type of all operands of the steps of this form; nothing if there is none, or several.
std::optional<DType> type_of_all(std::string_view form, const Chain& chain, const Typed& typed) {
  std::optional<DType> type;
  for (std::size_t i = 0; i < chain.statements.size(); ++i) {
    const auto* step = std::get_if<Step>(&chain.statements[i]);
    if (!step || form_of(*step) != form) continue;
    const Args args(step->args);
    for (std::size_t k = 0; k < args.size(); ++k) {
      if (!args.is_tensor(k) || !is_floating(typed.steps[i].operands[k].dtype)) continue;
      const DType own = typed.steps[i].operands[k].dtype;
      if (type && *type != own) return std::nullopt;
      type = own;
    }
  }
  return type;
}

/// Of what a device alone does: `out`, as the witness has it, with the op at fault there.
Signature signature_there(const Chain& chain, const Typed& typed, const std::vector<Value>& implied_roots,
                          const Testimony& testimony, const Plan& plan, Signature out) {
  out.device = device_type(plan.device);
  if (!testimony.detail.empty()) out.detail = testimony.detail;
  if (!plan.guilt) return out;
  Plan alone = asking({Witness::device}, plan);
  if (testimony.kind == FindingKind::nondeterminism) alone.executions = many_executions;  // it may show seldom
  if (auto culprit = Search(chain, typed, out).culprit(alone)) return *culprit;
  if (testimony.kind == FindingKind::device_mismatch) {
    std::vector<Accused> accused;
    {
      const OnDevice there(plan.device);
      out.guilty = guilty_of_value(chain, typed);
      if (out.guilty.empty()) accused = accused_of_gradient(chain, typed, implied_roots);
    }
    if (out.guilty.empty()) out.guilty = guilty_of(accused, chain, typed, alone);
  }
  if (out.guilty.empty()) out.guilty = suspects(chain);
  return out;
}

}  // namespace

bool steady(const Chain& chain, const std::vector<Value>& implied_roots, const Outcome& outcome, int times) {
  for (int i = 0; i < times; ++i)
    if (!same_outcomes(outcome, execute(chain, implied_roots))) return false;
  return true;
}

Signature unsteady_signature(const Chain& chain, const Typed& typed, bool guilt) {
  Signature out = unsteady(chain);
  if (!guilt) return out;
  for (std::size_t i = 0; i < chain.statements.size() && out.guilty.empty(); ++i)
    if (std::holds_alternative<Step>(chain.statements[i]))
      if (const auto alone = isolate(chain, typed, i); alone && !steady_alone(*alone))
        out.guilty = form_of(std::get<Step>(alone->statements.back()));
  if (out.guilty.empty()) out.guilty = suspects(chain);
  return out;
}

Signature signature_of(const Chain& chain, const Typed& typed, const std::vector<Value>& implied_roots,
                       const Verdict& verdict, const Testimony& testimony, const Plan& plan) {
  if (!steady(chain, implied_roots, verdict.outcome, std::max(plan.executions - 1, 2)))
    return unsteady_signature(chain, typed, plan.guilt);
  if (testimony.witness == Witness::memory || testimony.witness == Witness::time)  // they name the step themselves
    return {.kind = testimony.kind,
            .guilty = testimony.guilty.empty() ? suspects(chain) : testimony.guilty,
            .detail = testimony.detail,
            .dtype = std::string(floating_type_name(chain))};
  const bool about_errors = testimony.witness == Witness::expectation;
  Signature out{.kind = testimony.kind,
                .detail = about_errors ? error_detail(verdict) : testimony.errors.empty() ? magnitude(testimony) : testimony.errors,
                .dtype = std::string(floating_type_name(chain))};
  if (testimony.witness == Witness::device) return signature_there(chain, typed, implied_roots, testimony, plan, out);
  if (!plan.guilt) return out;
  const Search search(chain, typed, out);
  // Errors and numbers apart: an op that also has a known wrong gradient must not hide an error that is new.
  // What forward mode or double backward shows is theirs alone. It goes forwards: what shows it first is at fault.
  const bool in_reverse = testimony.witness != Witness::forward && testimony.witness != Witness::second;
  const Plan errors = asking({Witness::expectation}, plan),
             figures = in_reverse ? asking({Witness::reference, testimony.witness}, plan) : asking({testimony.witness}, plan);
  if (!in_reverse) {
    for (const std::size_t at : first_showing(chain, testimony.kind, figures)) {
      if (auto fault = search.fault_at(at, figures)) return *fault;
      out.guilty = form_of(std::get<Step>(chain.statements[at]));
    }
    // A second backward goes backwards: a step before may be at fault.
    if (auto fault = search.any_fault(figures)) return *fault;
    // Of a step whose first derivative is wrong by itself this witness says nothing.
    if (const auto culprit = search.culprit(asking({Witness::reference}, plan))) out.guilty = culprit->guilty;
    if (out.guilty.empty()) out.guilty = suspects(chain);
    return out;
  }
  if (auto culprit = search.culprit(about_errors ? errors : figures)) return *culprit;
  if (about_errors) {
    const auto& where = verdict.outcome.refusal ? verdict.outcome.refusal : verdict.expectation.refusal;
    const Step* step = where->phase.kind == Phase::Kind::step ? step_at(chain, where->phase) : nullptr;
    out.guilty = step ? form_of(*step) : suspects(chain);
    return out;
  }
  if (auto culprit = search.culprit(errors)) return *culprit;
  out.guilty = testimony.kind == FindingKind::wrong_value
                   ? guilty_of_value(chain, typed)
                   : guilty_of(accused_of_gradient(chain, typed, implied_roots), chain, typed, figures);
  if (const auto type = type_of_all(out.guilty, chain, typed)) out.dtype = dtype_name(*type);
  if (out.guilty.empty()) out.guilty = suspects(chain);
  return out;
}

Signature signature_of(const Chain& chain, const Typed& typed, const LaneRemark& remark, const Plan& plan) {
  Signature out{.kind = remark.kind, .detail = remark.detail, .dtype = std::string(floating_type_name(chain))};
  if (!remark.has_culprit) {  // a matter of histories: types do not mix in it
    out.dtype = dtype_name(floating_type(chain));
    return out;
  }
  const Plan alone_plan{.witnesses = {}, .guilt = false, .lanes = plan.lanes};
  for (std::size_t i = chain.statements.size(); plan.guilt && i-- > 0 && out.guilty.empty();) {
    if (!std::holds_alternative<Step>(chain.statements[i])) continue;
    const auto alone = isolate(chain, typed, i);
    if (!alone) continue;
    const Verdict verdict = judge(*alone, alone_plan);
    if (verdict.status == Status::finding && verdict.signature.kind == remark.kind)
      out.guilty = form_of(std::get<Step>(alone->statements.back()));
  }
  if (out.guilty.empty()) out.guilty = suspects(chain);
  return out;
}

bool same_bug(const Signature& wanted, const Signature& shown) {
  Signature rest = shown;
  rest.guilty = wanted.guilty;
  if (!(rest == wanted)) return false;
  const bool died = wanted.kind == FindingKind::crash || wanted.kind == FindingKind::hang;
  if (wanted.guilty == too_many || wanted.guilty == shown.guilty || (died && wanted.guilty.empty())) return true;
  const auto may = listed(wanted.guilty), are = listed(shown.guilty);
  return std::includes(may.begin(), may.end(), are.begin(), are.end());
}

bool same_fault(const Signature& wanted, const Signature& shown) {
  const auto op = [](std::string_view form) { return form.substr(0, form.find_last_not_of('_') + 1); };
  return wanted.kind == shown.kind && op(wanted.guilty) == op(shown.guilty);
}

}  // namespace gradsmith
