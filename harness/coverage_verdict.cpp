#include "harness/coverage_verdict.hpp"

#include <algorithm>
#include <cmath>

#include "harness/guilt.hpp"

namespace gradsmith {
namespace {

/// By value: the form that made it last; of an input, the form that reads it first.
std::vector<std::string> forms_of(const Chain& chain) {
  std::vector<std::string> forms(chain.names.size());
  for (const auto& statement : chain.statements) {
    const auto* step = std::get_if<Step>(&statement);
    if (!step) continue;
    const std::string form = form_of(*step);
    for_each_ref(*step, [&](const Value& value) {
      if (forms[value].empty()) forms[value] = form;
    });
    if (step->inplace) forms[Args(step->args).tensor(0)] = form;
    for (const Value result : step->results)
      if (result != dropped) forms[result] = form;
  }
  return forms;
}

std::string form_at(const Chain& chain, const Phase& phase) {
  int number = 0;
  for (const auto& statement : chain.statements)
    if (const auto* step = std::get_if<Step>(&statement); step && ++number == phase.number) return form_of(*step);
  return {};
}

/// Words of a reason without what is particular to one chain: numbers, names, what follows a colon.
std::string kind_of_reason(std::string_view reason) {
  std::string out(reason.substr(0, reason.find(':')));
  std::erase_if(out, [](char c) { return c >= '0' && c <= '9'; });
  return out;
}

/// Which of libFuzzer's eight levels: each doubles the distance; the last begins at half the tolerance.
unsigned closeness(double ratio) {
  constexpr int lowest = -3;  // an eighth of a unit and less
  if (!(ratio > 0)) return 0;
  if (!std::isfinite(ratio)) return 7;
  return static_cast<unsigned>(std::clamp(std::ilogb(ratio) - lowest, 0, 7));
}

void cover_numbers(const Array& array, std::string_view form, std::string_view what, Reached& reached) {
  bool nan = false, infinite = false, subnormal = false, negative_zero = false;
  for (const double x : array.data) {
    nan |= std::isnan(x);
    infinite |= std::isinf(x);
    subnormal |= std::fpclassify(x) == FP_SUBNORMAL;
    negative_zero |= x == 0 && std::signbit(x);
  }
  const auto note = [&](std::string_view kind) { reached.note(Domain::numerics, {kind, what, form, "`"}); };
  if (nan) note("NaN");
  if (infinite) note("infinity");
  if (subnormal) note("subnormal");
  if (negative_zero) note("-0");
}

}  // namespace

void cover_verdict(const Chain& chain, const Verdict& verdict, Reached& reached) {
  reached.note(Domain::outcome, {status_name(verdict.status)});
  if (const auto& refusal = verdict.outcome.refusal) {
    const bool in_step = refusal->phase.kind == Phase::Kind::step;
    const std::string form = in_step ? form_at(chain, refusal->phase) : std::string();
    reached.note(Domain::outcome, {refusal->id, in_step ? " of `" : " in backward", form, in_step ? "`" : ""});
  }
  if (verdict.expectation.hole) reached.note(Domain::outcome, {*verdict.expectation.hole});
  const auto forms = forms_of(chain);
  for (const Testimony& t : verdict.testimonies) {
    const std::string reason = t.opinion == Opinion::disagree ? std::string() : kind_of_reason(t.reason);
    reached.note(Domain::outcome, {witness_name(t.witness), " ", opinion_name(t.opinion), " ", reason});
    const auto named = std::find(chain.names.begin(), chain.names.end(), t.name.substr(0, t.name.find('[')));
    if (named == chain.names.end()) continue;
    const std::string& form = forms[static_cast<std::size_t>(named - chain.names.begin())];
    reached.note(Domain::numerics, {"distance of `", form, "` from the ", witness_name(t.witness)}, closeness(t.ratio));
  }
  for (std::size_t v = 0; v < verdict.outcome.values.size(); ++v)
    if (const auto& value = verdict.outcome.values[v]) cover_numbers(*value, forms[v], " from `", reached);
  for (std::size_t v = 0; v < verdict.outcome.gradients.size(); ++v)
    if (const auto& gradient = verdict.outcome.gradients[v])
      cover_numbers(*gradient, forms[v], " as gradient through `", reached);
}

}  // namespace gradsmith
