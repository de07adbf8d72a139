#include "harness/device_witness.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "harness/compare.hpp"
#include "harness/device_ahead.hpp"
#include "harness/expect.hpp"
#include "harness/guilt.hpp"
#include "harness/weigh.hpp"

namespace gradsmith {
namespace {

using Arrays = std::vector<std::optional<Array>>;
using Spreads = std::vector<std::optional<Spread>>;

Outcome outcome_of(DeviceResult result) {
  if (const auto* lost = std::get_if<DeviceLost>(&result)) end_without_device(*lost);
  if (auto* missing = std::get_if<EnvironmentError>(&result)) throw std::move(*missing);
  return std::get<Outcome>(std::move(result));
}

Outcome run_there(const DeviceCase& c) { return outcome_of(run_on_device(c.chain, c.roots, c.device)); }

/// The same, if it was not run ahead.
Outcome first_run_there(const DeviceCase& c) {
  auto ahead = DeviceAhead::take(c.chain, c.device);
  return ahead ? outcome_of(*std::move(ahead)) : run_there(c);
}

std::string describe(const std::optional<Refusal>& refusal) {
  if (!refusal) return "no error";
  return fmt::format("{} at {}: {}", refusal->id, phase_name(refusal->phase),
                     refusal->message.substr(0, refusal->message.find('\n')));
}

std::string word(const std::optional<Refusal>& refusal) {
  if (!refusal) return "none";
  return refusal->id + (refusal->phase.kind == Phase::Kind::step ? "-step" : "-backward");
}

bool alike(const std::optional<Refusal>& a, const std::optional<Refusal>& b) {
  return a.has_value() == b.has_value() &&
         (!a || (a->id == b->id && a->phase == b->phase && (a->id != "?" || a->message == b->message)));
}

/// Whether the second run was refused as the first; fills the testimony if not.
bool same_refusal(const std::optional<Refusal>& here, const std::optional<Refusal>& there, Testimony& out) {
  if (alike(here, there)) return true;
  out.opinion = Opinion::disagree;
  out.kind = !there ? FindingKind::missing_error : !here ? FindingKind::spurious_error : FindingKind::wrong_error;
  out.detail = word(here) + "-" + word(there);
  out.reason = fmt::format("the CPU gives {}, the device {}", describe(here), describe(there));
  return false;
}

/// Products of matrices, which TF32 computes from rounded operands.
bool multiplies_matrices(const Chain& chain) {
  return std::any_of(chain.statements.begin(), chain.statements.end(), [](const Statement& statement) {
    const auto* step = std::get_if<Step>(&statement);
    return step && (step->op->name == "mm" || step->op->name == "matmul");
  });
}

/// How far numbers of one tensor may be apart: the unit roundoff, and by what the replicas' spread falls short of it.
struct Scale {
  double u, widening = 1;
};
Scale scale_of(const DeviceCase& c, const Spread& expected) {
  constexpr double tf32 = 0x1p-11;
  const double u = roundoff_of(expected);
  if (c.reduced && u < tf32 && u > unit_roundoff(DType::f64) && multiplies_matrices(c.chain)) return {tf32, tf32 / u};
  return {u};
}

/// How far two numbers are apart; 0 if both are the same infinity or NaN.
double apart(double a, double b) {
  if (a == b || (std::isnan(a) && std::isnan(b))) return 0;
  const double distance = std::abs(a - b);
  return std::isfinite(distance) ? distance : std::numeric_limits<double>::infinity();
}

/// Compares two runs on the device (`again` may be the first itself) with the CPU's and the reference's numbers.
class Weighing {
 public:
  Weighing(const DeviceCase& c, const Reference& reference, const Outcome& first, const Outcome& again)
      : c_(c) {
    weigh("value", first.values, again.values, c.cpu.values, reference.values, false);
    if (!reference.nan) weigh("gradient", first.gradients, again.gradients, c.cpu.gradients, reference.gradients, true);
  }
  Departure worst{};              ///< of the device from the nearer of its two judges
  double unsteady = 0;            ///< in units: how far two runs are apart at most
  std::string what{}, unsteady_at{};  ///< "value v1[3]"

 private:
  void weigh(std::string_view kind, const Arrays& first, const Arrays& again, const Arrays& cpu, const Spreads& expected,
             bool missing_is_zero) {
    for (std::size_t v = 0; v < expected.size(); ++v) {
      if (!expected[v]) continue;
      const Scale scale = scale_of(c_, *expected[v]);
      const auto data = [&](const Arrays& arrays) -> std::vector<double> {
        if (arrays[v]) return arrays[v]->data;
        return missing_is_zero ? std::vector<double>(expected[v]->value.size(), 0.0) : std::vector<double>();
      };
      const std::vector<double> one = data(first), two = data(again), here = data(cpu);
      if (one.size() != expected[v]->value.size() || here.size() != one.size()) continue;
      const auto name = [&](std::size_t element) { return fmt::format("{} {}[{}]", kind, c_.chain.names[v], element); };
      Spread nearer = *expected[v];
      for (std::size_t i = 0; i < one.size(); ++i) {
        nearer.spread[i] *= scale.widening;
        if (apart(one[i], here[i]) < apart(one[i], nearer.value[i])) nearer.value[i] = here[i];
      }
      if (two.size() == one.size()) {
        Spread first_run = nearer;
        first_run.value = one;
        if (const Departure d = compare(two, first_run, scale.u); d.ratio > unsteady) {
          unsteady = d.ratio;
          unsteady_at = name(d.element);
        }
        for (std::size_t i = 0; i < one.size(); ++i)
          if (const double distance = apart(one[i], two[i]); std::isfinite(distance)) nearer.spread[i] += distance;
      }
      if (const Departure d = compare(one, nearer, scale.u); !(d.ratio <= worst.ratio)) {
        worst = d;
        what = name(d.element);
      }
    }
  }
  const DeviceCase& c_;
};

/// The largest relative distance between two tensors of two runs, as a power of ten; nothing if they are equal bit for bit.
std::optional<std::string> distance(const std::optional<Array>& a, const std::optional<Array>& b) {
  if (!a || !b || first_bit_difference(a->data, b->data) < 0) return std::nullopt;
  double worst = 0;
  for (std::size_t i = 0; i < a->data.size(); ++i)
    if (const double scale = std::max(std::abs(a->data[i]), std::abs(b->data[i])); scale > 0)
      worst = std::max(worst, apart(a->data[i], b->data[i]) / scale);
  return fmt::format("{:.0e}", worst > 0 ? std::pow(10, std::ceil(std::log10(worst))) : 0.0);
}

/// The step that made a tensor what it is in the end; null for an input.
const Step* last_writer(const Chain& chain, Value value) {
  const Step* writer = nullptr;
  for (const Statement& statement : chain.statements) {
    const auto* step = std::get_if<Step>(&statement);
    if (!step) continue;
    const bool result = std::find(step->results.begin(), step->results.end(), value) != step->results.end();
    if (result || (step->inplace && Args(step->args).tensor(0) == value)) writer = step;
  }
  return writer;
}

/// What is not the same bit for bit in two runs, and by how much: the first op in the forward, else the backward. "" if all is.
std::string unsteady_words(const Chain& chain, const Outcome& first, const Outcome& again) {
  for (std::size_t v = 0; v < first.values.size(); ++v)
    if (const auto d = distance(first.values[v], again.values[v])) {
      const Step* step = last_writer(chain, static_cast<Value>(v));
      return fmt::format("{} differs between runs by up to {}", step ? form_of(*step) : "a gradient", *d);
    }
  for (std::size_t v = 0; v < first.gradients.size(); ++v)
    if (const auto d = distance(first.gradients[v], again.gradients[v]))
      return fmt::format("backward differs between runs by up to {}", *d);
  return {};
}

/// What the device says of a chain whose tensors lie, and are read, as `c.typed` has it.
Testimony testimony_of(const DeviceCase& c, Reference* reference) {
  const Tolerance tolerance;
  Testimony out{.witness = Witness::device, .opinion = Opinion::agree};
  const Outcome first = first_run_there(c);
  const bool as_expected = alike(c.expected.refusal, first.refusal);
  if ((!as_expected && !same_refusal(c.cpu.refusal, first.refusal, out)) || first.refusal) return out;
  const auto open = [&] {
    out = {.witness = Witness::device, .opinion = Opinion::inconclusive, .reason = reference->open};
    return out;
  };
  if (reference && !reference->open.empty()) return open();
  std::optional<Weighing> weighed;
  if (reference) weighed.emplace(c, *reference, first, first);
  const bool missed = weighed && !(weighed->worst.ratio <= tolerance.k);
  if (missed) {
    widen_by_more_replicas(*reference, c.chain, c.typed, c.roots);
    if (!reference->open.empty()) return open();
  }
  for (int run = 1; run < (missed ? std::max(c.runs, 2) : c.runs) && !(weighed && weighed->unsteady > tolerance.k); ++run) {
    const Outcome again = run_there(c);
    if (!same_refusal(first.refusal, again.refusal, out)) {
      out.kind = FindingKind::nondeterminism;
      out.detail = "error";
      out.reason = "in a second run on the device " + describe(again.refusal);
      return out;
    }
    if (reference) weighed.emplace(c, *reference, first, again);
    if (out.reason.empty()) out.reason = unsteady_words(c.chain, first, again);
  }
  if (!weighed) return out;
  out.name = weighed->what.substr(weighed->what.find(' ') + 1);
  out.observed = weighed->worst.observed;
  out.expected = weighed->worst.expected;
  out.ratio = weighed->worst.ratio;
  if (weighed->unsteady > tolerance.k) {
    out.opinion = Opinion::disagree;
    out.kind = FindingKind::nondeterminism;
    out.detail = "repeat";
    out.reason = fmt::format("{} is not the same in two runs on the device ({:.3g} times what rounding can do)",
                             weighed->unsteady_at, weighed->unsteady);
  } else if (!(out.ratio <= tolerance.k)) {
    out.opinion = Opinion::disagree;
    out.kind = FindingKind::device_mismatch;
    out.reason = fmt::format("{} is {:.17g} on the device, {:.17g} on the CPU or by the reference ({:.3g} times what "
                             "rounding can do)",
                             weighed->what, out.observed, out.expected, out.ratio);
  }
  return out;
}

/// Some kernel there is known to lay out its result otherwise, or to read an operand in another type.
bool may_differ(const DeviceCase& c) {
  for (std::size_t i = 0; i < c.chain.statements.size(); ++i)
    if (const auto* step = std::get_if<Step>(&c.chain.statements[i]))
      if (step->op->shape_on_device || c.typed.steps[i].scalar_in_float) return true;
  return false;
}

}  // namespace

Testimony device_testimony(const DeviceCase& c, Reference* reference) {
  const Testimony out = testimony_of(c, reference);
  if (out.opinion != Opinion::disagree || !may_differ(c)) return out;
  const auto typed = type_chain(c.chain, Layouts::device);
  if (const auto* invalid = std::get_if<Invalid>(&typed))
    return {.witness = Witness::device, .opinion = Opinion::inconclusive, .reason = "no program there: " + invalid->message};
  const auto& there = std::get<Typed>(typed);
  const Expectation expected = expect(c.chain, there);
  DeviceCase otherwise{.chain = c.chain, .typed = there, .roots = c.roots, .cpu = c.cpu, .expected = expected,
                       .device = c.device, .runs = c.runs, .reduced = c.reduced};
  if (!reference || expected.refusal) return testimony_of(otherwise, nullptr);
  Reference numbers = run_reference(c.chain, there, c.roots, 0);
  return testimony_of(otherwise, &numbers);
}

}  // namespace gradsmith
