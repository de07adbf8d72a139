#include "harness/judge.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "harness/blame.hpp"
#include "harness/compare.hpp"
#include "harness/coverage_steps.hpp"
#include "harness/coverage_verdict.hpp"
#include "harness/device.hpp"
#include "harness/device_witness.hpp"
#include "harness/difference.hpp"
#include "harness/each_op.hpp"
#include "harness/execute.hpp"
#include "harness/expect.hpp"
#include "harness/memory.hpp"
#include "harness/pairing.hpp"
#include "harness/timing.hpp"
#include "harness/forward.hpp"
#include "harness/second.hpp"
#include "harness/twin.hpp"
#include "harness/under_way.hpp"
#include "harness/weigh.hpp"

namespace gradsmith {
namespace {

struct Case {
  const Chain& chain;
  const Typed& typed;
  const std::vector<Value>& roots;
  const Outcome& outcome;
  DType dtype;
};

std::string describe(const std::optional<Refusal>& refusal) {
  return refusal ? fmt::format("{} at {}", refusal->id, phase_name(refusal->phase)) : "no error";
}

/// The refusal that must come came, or none must and none did.
bool as_expected(const Expectation& expectation, const Outcome& outcome) {
  const auto &want = expectation.refusal, &got = outcome.refusal;
  return want && got ? want->id == got->id && want->phase == got->phase : !want && !got;
}

Testimony expectation_testimony(const Expectation& expectation, const Outcome& outcome) {
  Testimony out{.witness = Witness::expectation, .opinion = Opinion::agree};
  if (as_expected(expectation, outcome)) return out;
  const auto &want = expectation.refusal, &got = outcome.refusal;
  if (expectation.hole == "U24") {
    out.opinion = Opinion::inconclusive;
    out.reason = "ops on inference tensors with a history are not modelled";
    return out;
  }
  out.opinion = Opinion::disagree;
  out.kind = !got ? FindingKind::missing_error : !want ? FindingKind::spurious_error : FindingKind::wrong_error;
  out.reason = fmt::format("expected {}, saw {}{}", describe(want), describe(got),
                           got ? fmt::format(": {}", got->message.substr(0, got->message.find('\n'))) : "");
  return out;
}

struct Weighed {
  Testimony values, gradients;
};
Weighed weigh_all(const Case& c, const Reference& reference) {
  Weighed out;
  weigh(out.values, c.chain, c.outcome.values, reference.values, {});
  if (!reference.nan) weigh(out.gradients, c.chain, c.outcome.gradients, reference.gradients, {}, Missing::is_zero);
  return out;
}

Testimony reference_testimony(const Case& c, Reference& reference) {
  const Tolerance tolerance;
  Testimony out{.witness = Witness::reference};
  const auto open = [&] {
    out = {.witness = Witness::reference, .opinion = Opinion::inconclusive, .reason = reference.open};
    return out;
  };
  if (!reference.open.empty()) return open();
  Weighed weighed = weigh_all(c, reference);
  const auto worst = [&] { return std::max(weighed.values.ratio, weighed.gradients.ratio); };
  if (!(worst() <= tolerance.k)) {
    widen_by_more_replicas(reference, c.chain, c.typed, c.roots);
    if (!reference.open.empty()) return open();
    weighed = weigh_all(c, reference);
  }
  const bool value = !(weighed.values.ratio <= tolerance.k), gradient = !(weighed.gradients.ratio <= tolerance.k);
  out = value || !gradient ? weighed.values : weighed.gradients;
  if (!value && !gradient && weighed.gradients.ratio > weighed.values.ratio) out = weighed.gradients;
  out.witness = Witness::reference;
  out.opinion = value || gradient ? Opinion::disagree : reference.nan ? Opinion::inconclusive : Opinion::agree;
  if (reference.nan) out.reason = "gradients through NaN depend on the kernel's loop";
  out.kind = value ? FindingKind::wrong_value : gradient ? FindingKind::wrong_gradient : FindingKind::none;
  if (out.opinion == Opinion::disagree)
    out.reason = fmt::format("{} {} is {:.17g}, the reference says {:.17g} ({:.3g} times what rounding can do)",
                             value ? "value" : "gradient", out.name, out.observed, out.expected, out.ratio);
  return out;
}

/// By storage: holds a gradient that has a name, or what was computed from one.
std::vector<char> hold_gradients(const Case& c) {
  int storages = 0;
  for (const TensorInfo& info : c.typed.values) storages = std::max(storages, info.storage + 1);
  std::vector<char> hold(static_cast<std::size_t>(storages));
  const auto at = [&](Value value) -> char& { return hold[static_cast<std::size_t>(c.typed.values[value].storage)]; };
  for (const Statement& statement : c.chain.statements) {
    if (const auto* backward = std::get_if<Backward>(&statement))
      for (const Value value : backward->results)
        if (value != dropped) at(value) = 1;
    const auto* step = std::get_if<Step>(&statement);
    if (!step) continue;
    bool reads = false;
    for_each_ref(*step, [&](const Value& value) { reads |= at(value) != 0; });
    if (!reads) continue;
    if (step->inplace) at(Args(step->args).tensor(0)) = 1;
    for (const Value value : step->results)
      if (value != dropped) at(value) = 1;
  }
  return hold;
}

Testimony twin_testimony(const Case& c, const Reference* reference, std::optional<Cost>& cost) {
  Testimony out{.witness = Witness::twin};
  const auto result = execute_twin(c.chain, c.typed, c.roots);
  if (const auto* reason = std::get_if<std::string>(&result)) {
    out.reason = *reason;
    if (reason->starts_with("the twin was refused")) out.opinion = Opinion::inconclusive;
    return out;
  }
  const Twin& twin = std::get<Twin>(result);
  cost = twin.outcome.cost;
  const std::vector<char> after_gradient = hold_gradients(c);
  const auto differ = [&](const std::vector<std::optional<Array>>& chain, const std::vector<std::optional<Array>>& other,
                          bool values, const std::vector<std::optional<Spread>>* expected) {
    for (std::size_t v = 0; v < chain.size(); ++v) {
      if (!chain[v] || v >= other.size() || !other[v]) continue;
      const bool bitwise = twin.bitwise_gradients || (values && !after_gradient[c.typed.values[v].storage]);
      const auto &a = chain[v]->data, &b = other[v]->data;
      const auto at = first_bit_difference(a, b);
      if (at < 0) continue;
      out.bitwise = bitwise;
      double ratio = INFINITY;
      std::size_t element = static_cast<std::size_t>(at);
      if (!bitwise) {
        if (!expected || !(*expected)[v]) continue;
        Spread around = *(*expected)[v];
        around.value = b;
        const Departure d = compare(a, around, roundoff_of(around));
        if (d.ratio <= Tolerance{}.k) continue;
        ratio = d.ratio;
        element = d.element;
      }
      out.opinion = Opinion::disagree;
      out.kind = FindingKind::twin_mismatch;
      out.name = fmt::format("{}[{}]", c.chain.names[v], element);
      out.observed = a[element];
      out.expected = b[element];
      out.ratio = ratio;
      return true;
    }
    return false;
  };
  out.opinion = Opinion::agree;
  const bool spreads = reference && reference->open.empty();
  if (differ(c.outcome.values, twin.outcome.values, true, spreads ? &reference->values : nullptr)) {
    out.reason = fmt::format("value {} is {:.17g}, {:.17g} out of place", out.name, out.observed, out.expected);
  } else if (differ(c.outcome.gradients, twin.outcome.gradients, false, spreads ? &reference->gradients : nullptr)) {
    out.reason = fmt::format("gradient {} is {:.17g}, {:.17g} out of place", out.name, out.observed, out.expected);
  }
  return out;
}

/// A gradient was cut at a view taken in no_grad, yet nothing would have come through it.
bool harmless(const Case& c) {
  const Reference tracked = run_reference(c.chain, c.typed, c.roots, 0, NoGradViews::tracked);
  const Weighed weighed = weigh_all(c, tracked);
  return weighed.gradients.ratio <= Tolerance{}.k && weighed.values.ratio <= Tolerance{}.k;
}

}  // namespace

std::string Signature::text() const {
  return fmt::format("{}.{}.{}.{}.{}", finding_name(kind), guilty, detail, dtype, device);
}

void prepare(const Plan& plan) {
  initialize_libtorch();
  name_op_at_death();
  install(plan.lanes);
  if (!plan.device.empty()) open_device(plan.device);
}

/// What forward mode says; also of a chain that only a `backward` refuses, as it must.
static Testimony forward_testimony(const Case& c, const Expectation& expectation, const Reference* reference) {
  const auto &want = expectation.refusal, &got = c.outcome.refusal;
  Testimony out{.witness = Witness::forward};
  const bool agreed = !want == !got && (!got || (got->phase == want->phase && got->id == want->id));
  if (expectation.hole && expectation.hole != "U17") out.reason = "known hole";
  else if (!agreed || (got && got->phase.kind == Phase::Kind::step)) out.reason = got ? "refused" : "should be refused";
  else if (c.dtype != DType::f64) out.reason = "float64 only";
  else return forward_witness(c.chain, c.typed, c.roots, c.outcome, reference);
  return out;
}

/// What double backward says.
static Testimony second_testimony(const Case& c) {
  if (c.dtype == DType::f64) return second_witness(c.chain, c.typed, c.roots, c.outcome);
  return {.witness = Witness::second, .reason = "float64 only"};
}

/// The verdict; of coverage, only what the steps and LibTorch reach.
static Verdict weigh_chain(const Chain& chain, const Plan& plan) {
  Verdict verdict;
  auto result = type_chain(chain);
  if (const auto* invalid = std::get_if<Invalid>(&result)) {
    verdict.reason = "invalid: " + invalid->message;
    return verdict;
  }
  const Typed& typed = std::get<Typed>(result);
  for (const auto& statement : chain.statements)
    if (const auto* backward = std::get_if<Backward>(&statement); backward && backward->create_graph) {
      verdict.status = Status::inconclusive;
      verdict.reason = "create_graph: second derivatives are not judged";
      return verdict;
    }
  const auto enter = [&](std::string_view phase) {
    if (plan.entering) plan.entering(phase);
  };
  std::vector<Value> roots;
  std::vector<Retained> kept;
  enter("expect");
  verdict.expectation = expect(chain, typed, &roots, &kept);
  enter("execute");
  if (plan.coverage) cover_steps(chain, typed, !verdict.expectation.refusal, *plan.coverage);
  verdict.outcome = execute(chain, roots, plan.coverage);
  const Case c{chain, typed, roots, verdict.outcome, floating_type(chain)};
  const auto asked = [&](Witness witness) { return plan.witnesses[static_cast<std::size_t>(witness)]; };
  const bool guarded = plan.lanes[static_cast<std::size_t>(Lane::guard)];  // system calls outweigh the ops
  const auto finding = [&]() -> const Testimony* {
    for (const auto& t : verdict.testimonies)
      if (t.opinion == Opinion::disagree) return &t;
    return nullptr;
  };

  if (asked(Witness::expectation))
    verdict.testimonies.push_back(expectation_testimony(verdict.expectation, verdict.outcome));
  Reference reference;
  bool numbers = false;  // can be judged
  const bool device = asked(Witness::device) && !plan.device.empty();
  const bool cut = verdict.expectation.hole == "U17";  // LibTorch's gradient is that of the cut chain, and judged as such
  if (verdict.outcome.refusal || verdict.expectation.refusal || (verdict.expectation.hole && !cut)) {
    const char* reason = verdict.outcome.refusal ? "refused" : verdict.expectation.hole ? "known hole" : "should be refused";
    for (const Witness witness : {Witness::reference, Witness::twin, Witness::difference})
      if (asked(witness)) verdict.testimonies.push_back({.witness = witness, .reason = reason});
    if (asked(Witness::forward)) {
      enter("forward");
      verdict.testimonies.push_back(forward_testimony(c, verdict.expectation, nullptr));
    }
    if (asked(Witness::second)) verdict.testimonies.push_back({.witness = Witness::second, .reason = reason});
  } else {
    numbers = true;
    std::optional<Testimony> difference;
    enter("reference");
    if (asked(Witness::reference) || asked(Witness::difference) || asked(Witness::twin) || asked(Witness::forward) || device)
      reference = run_reference(chain, typed, roots);
    enter("difference");
    if (asked(Witness::difference)) {  // first: it reads the tape that the reference left
      if (reference.nan)
        difference = Testimony{.witness = Witness::difference, .opinion = Opinion::inconclusive, .reason = "values not finite"};
      else if (!reference.open.empty())
        difference = Testimony{.witness = Witness::difference, .opinion = Opinion::inconclusive, .reason = reference.open};
      else if (c.dtype == DType::f64)
        difference = difference_witness(chain, typed, roots, verdict.outcome, reference);
      else
        difference = Testimony{.witness = Witness::difference, .reason = "float64 only"};
    }
    if (asked(Witness::reference)) {
      verdict.testimonies.push_back(reference_testimony(c, reference));
      hear_each_op(verdict.testimonies.back(), chain, typed);
    }
    enter("twin");
    if (asked(Witness::twin)) {
      Testimony twin = twin_testimony(c, &reference, verdict.twin_cost);
      if (verdict.twin_cost) {
        Cost own = verdict.outcome.cost, other = *verdict.twin_cost;
        const bool timed = asked(Witness::time) && !guarded && is_paired(chain);
        if (timed) time_in_turns(chain, typed, own, other);
        verdict.deltas = deltas_of(chain, typed, kept, own, other, timed);
      }
      // Where both forms differentiate by different formulas (elu_ by its result), a departure of the twin that the
      // reference explains is no finding.
      if (twin.opinion == Opinion::disagree && !twin.bitwise && asked(Witness::reference) &&
          verdict.testimonies.back().opinion != Opinion::disagree) {
        twin.opinion = Opinion::inconclusive;
        twin.reason = "the forms differentiate by different formulas";
      }
      verdict.testimonies.push_back(std::move(twin));
    }
    if (difference) verdict.testimonies.push_back(*difference);
    enter("forward");
    if (asked(Witness::forward)) verdict.testimonies.push_back(forward_testimony(c, verdict.expectation, &reference));
    enter("second");
    if (asked(Witness::second)) verdict.testimonies.push_back(second_testimony(c));
  }
  enter("memory");
  if (asked(Witness::memory))
    verdict.testimonies.push_back(verdict.expectation.hole == "U24"  // what its ops record and keep is not modelled
                                      ? Testimony{.witness = Witness::memory, .reason = "known hole"}
                                      : memory_witness(chain, typed, kept, verdict.outcome));
  enter("time");
  if (asked(Witness::time))
    verdict.testimonies.push_back(guarded ? Testimony{.witness = Witness::time, .reason = "lane guard: it takes the time"}
                                          : time_witness(chain, typed, kept, verdict.outcome));

  if (device && verdict.expectation.hole == "U24") {
    verdict.testimonies.push_back({.witness = Witness::device, .reason = "known hole"});
  } else if (device) {
    enter("device");
    const auto on = [&](Lane lane) { return plan.lanes[static_cast<std::size_t>(lane)]; };
    verdict.testimonies.push_back(device_testimony({.chain = chain,
                                                    .typed = typed,
                                                    .roots = roots,
                                                    .cpu = verdict.outcome,
                                                    .expected = verdict.expectation,
                                                    .device = plan.device,
                                                    .runs = std::max(on(Lane::determinism) ? 2 : 1, plan.executions),
                                                    .reduced = on(Lane::tf32)},
                                                   numbers ? &reference : nullptr));
  }

  verdict.remarks = remarks_on(chain, roots, verdict.outcome, plan.lanes);

  if (!verdict.remarks.empty()) {  // first: what changes from run to run no witness can judge
    verdict.status = Status::finding;
    verdict.signature = signature_of(chain, typed, verdict.remarks.front(), plan);
  } else if (const Testimony* t = finding()) {
    verdict.status = Status::finding;
    enter("guilt");
    verdict.signature = signature_of(chain, typed, roots, verdict, *t, plan);
  } else if (plan.executions > 1 && !steady(chain, roots, verdict.outcome, plan.executions - 1)) {
    verdict.status = Status::finding;
    verdict.signature = unsteady_signature(chain, typed, plan.guilt);
  } else if (verdict.outcome.refusal && (verdict.expectation.hole != "U24" || as_expected(verdict.expectation, verdict.outcome))) {
    verdict.status = Status::agreed_raise;
  } else if (verdict.expectation.hole && !(cut && harmless(c))) {
    verdict.status = Status::known_hole;
  } else {
    verdict.expectation.hole.reset();
    const auto open = std::find_if(verdict.testimonies.begin(), verdict.testimonies.end(),
                                   [](const Testimony& t) { return t.witness == Witness::reference && t.opinion == Opinion::inconclusive; });
    verdict.status = open == verdict.testimonies.end() ? Status::pass : Status::inconclusive;
    if (open != verdict.testimonies.end()) verdict.reason = open->reason;
  }
  return verdict;
}

Verdict judge(const Chain& chain, const Plan& plan) {
  Verdict verdict = weigh_chain(chain, plan);
  if (plan.coverage) cover_verdict(chain, verdict, *plan.coverage);
  return verdict;
}

}  // namespace gradsmith
