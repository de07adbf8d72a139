// Steps: operands that fit, by domain, shape and what writing them would do.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "harness/generator.hpp"
#include "harness/layout.hpp"

namespace gradsmith {
namespace {

constexpr std::int64_t result_limit = 8;       // results hold at most that many times Knobs::max_elements
constexpr std::size_t results_limit = 6;       // and a step has at most that many

/// The operand the others follow: the first differentiable tensor.
std::size_t leading_param(const Op& op) {
  for (std::size_t i = 0; i < op.params.size(); ++i)
    if (takes_tensor(op.params[i].kind) && op.params[i].differentiable) return i;
  return 0;
}

Interval domain_of(const Op& op, std::size_t param) {
  return param < op.domain.size() ? op.domain[param] : Interval{};
}

bool inside(const Interval& interval, double lo, double hi, double nearest) {
  return lo >= interval.lo && hi <= interval.hi && nearest >= interval.apart;
}

}  // namespace

bool Generator::fits(const Op& op, std::size_t param, Value value, bool tame) {
  if (!is_float(value)) return false;
  if (!tame) return true;
  const Extent& extent = draft_.extent(value);
  if (extent.lo > extent.hi) return true;
  Interval domain = domain_of(op, param);
  if (edges_) {  // the usual bounds only keep numbers tame, and edges are not
    constexpr Interval usual{};
    constexpr double unbounded = std::numeric_limits<double>::infinity();
    if (domain.lo == usual.lo) domain.lo = -unbounded;
    if (domain.hi == usual.hi) domain.hi = unbounded;
  }
  return extent.finite && inside(domain, extent.lo, extent.hi, extent.nearest);
}

/// A tensor that an in-place step may write without a refusal, as far as that shows cheaply; the model decides.
bool Generator::target(const Op& op, Value value, const Want& want) {
  if (want.careless) return true;
  const DraftOrigin& origin = draft_.origin(value);
  const Model& model = draft_.model();
  const bool overlaps = has_internal_overlap(draft_.info(value).layout);
  if (overlaps && !op.overlap_unchecked) return false;
  if (origin.inference && !draft_.inference_mode()) return false;
  if (draft_.grad_mode()) {
    const bool graded = model.requires_grad(value);
    if (overlaps && graded) return false;
    if (origin.multi || origin.quiet) return false;
    if (graded && (model.is_leaf(value) || model.is_leaf(draft_.base(value)))) return false;
  }
  return !model.is_saved(value) || choices_.chance(4);
}

Value Generator::choose(std::span<const Value> candidates, bool pressure) {
  if (pressure && choices_.chance(knobs_.aliasing)) {
    std::vector<Value> hot;
    for (const Value value : candidates)
      if (draft_.shared(value) || draft_.model().is_saved(value)) hot.push_back(value);
    if (!hot.empty()) return choices_.pick(hot);
  }
  constexpr std::size_t recent = 3;
  if (candidates.size() > recent && choices_.chance(50)) candidates = candidates.last(recent);
  return choices_.pick(candidates);
}

std::optional<double> Generator::number_operand(const Op& op, std::size_t param, bool wild) {
  static const std::vector<Argument> usual = {2.0, 0.5, -1.5, 1.0, 3.0, -0.25, 0.0};
  static const std::vector<Argument> unusual = {-1.0, 0.0, 1.5, -0.5};
  const auto& choices = wild ? unusual : op.params[param].choices.empty() ? usual : op.params[param].choices;
  for (int tries = 0; tries < 3; ++tries) {
    const auto* number = std::get_if<double>(&choices_.pick(choices));
    if (number && (wild || inside(domain_of(op, param), *number, *number, std::fabs(*number)))) return *number;
  }
  return std::nullopt;
}

std::optional<Value> Generator::mask_for(const Shape& shape) {
  if (!draft_.grad_mode() || choices_.chance(50)) {
    std::vector<Value> masks;
    for (Value value = 0; value < draft_.values(); ++value)
      if (draft_.info(value).dtype == DType::boolean && broadcast(draft_.shape(value), shape) == shape)
        masks.push_back(value);
    if (!masks.empty()) return choices_.pick(masks);
  }
  return extra_mask(shape);
}

/// A tensor for a later operand; `broadcasting`: it must broadcast with those before it.
bool Generator::fill_tensor(Step& step, std::size_t param, Want& want, bool broadcasting) {
  const Op& op = *step.op;
  const auto place = [&](Value value) {
    if (const auto wider = broadcast(span_, draft_.shape(value))) span_ = *wider;
    step.args[param] = Ref{value};
    return true;
  };
  if (!op.params[param].differentiable) {
    const auto mask = mask_for(span_);
    return mask && place(*mask);
  }
  if (want.other != dropped) {
    if (want.tame && !fits(op, param, want.other, true)) return false;
    return place(std::exchange(want.other, dropped));
  }
  if (want.grows) {
    Shape misfit = span_;
    if (misfit.empty() || choices_.chance(50)) misfit.insert(misfit.begin(), 2);
    else ++misfit[choices_.below(misfit.size())];
    const auto made = extra_input(misfit, domain_of(op, param));
    want.grows = false;
    return made && place(*made);
  }
  std::vector<Value> candidates;
  for (Value value = 0; value < draft_.values(); ++value) {
    if (!fits(op, param, value, want.tame)) continue;
    if (broadcasting) {
      const auto wider = broadcast(span_, draft_.shape(value));
      if (!wider || (step.inplace && *wider != span_)) continue;
    }
    candidates.push_back(value);
  }
  if (!candidates.empty() && !choices_.chance(broadcasting ? 6 : 60)) return place(choose(candidates, false));
  Shape shape = span_;
  if (!broadcasting) {  // what products and weights want: the last dimension, a transposed operand, a matrix behind it
    std::reverse(shape.begin(), shape.end());
    if (choices_.chance(50) && !shape.empty()) shape.resize(1);
    if (!shape.empty() && choices_.chance(50)) shape.back() = choices_.between(1, 4);
  } else if (choices_.chance(50)) {
    shape.erase(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(choices_.below(shape.size() + 1)));
    for (auto& size : shape)
      if (choices_.chance(30)) size = 1;
  }
  const auto made = extra_input(shape, domain_of(op, param));
  return made && place(*made);
}

/// What the op's shape rule says of the step.
Shaped Generator::ask(const Step& step) const {
  Call call{step.op, step.inplace, Args(step.args), std::vector<const TensorInfo*>(step.args.size(), nullptr)};
  for (std::size_t i = 0; i < step.args.size(); ++i)
    if (call.args.is_tensor(i)) call.tensors[i] = &draft_.info(call.args.tensor(i));
  return step.op->shape(call);
}

/// A step of this op that satisfies `want`, or nothing. May have put inputs for it; results have their names.
std::optional<Step> Generator::build(const Op& op, bool inplace, const Want& asked) {
  Want want = asked;
  Step step{.op = &op, .inplace = inplace, .args = std::vector<Argument>(op.params.size())};
  const std::size_t lead = leading_param(op);
  Value first = want.self;
  if (first == dropped) {
    std::vector<Value> candidates;
    for (Value value = 0; value < draft_.values(); ++value)
      if (fits(op, lead, value, want.tame) && (!inplace || target(op, value, want))) candidates.push_back(value);
    if (candidates.empty()) {
      if (inplace || !choices_.chance(30)) return std::nullopt;
      const auto made = extra_input(fresh_shape(), domain_of(op, lead));
      if (!made) return std::nullopt;
      candidates.push_back(*made);
    }
    first = choose(candidates, op.alias != Alias::none || inplace);
  } else if (want.tame && !fits(op, lead, first, true)) {
    return std::nullopt;
  }
  step.args[lead] = Ref{first};
  const Shape shape = draft_.shape(first);
  const auto rank = static_cast<std::int64_t>(shape.size());
  dim_ = static_cast<int>(rank == 0 ? 0 : choices_.between(0, rank - 1));
  start_ = 0;

  std::vector<std::size_t> tensors;
  for (std::size_t i = 0; i < op.params.size(); ++i) {
    if (i == lead) continue;
    const Param& param = op.params[i];
    if (!takes_tensor(param.kind)) {
      step.args[i] = attribute(op, param, shape, want.wild);
    } else if (param.optional && choices_.chance(60)) {
      step.args[i] = param.preset;
    } else if (param.kind == Kind::tensor_or_number && want.other == dropped && !want.grows && choices_.chance(40)) {
      if (const auto number = number_operand(op, i, want.wild)) step.args[i] = *number;
      else tensors.push_back(i);
    } else {
      tensors.push_back(i);
    }
  }
  if ((want.other != dropped || want.grows) && tensors.empty()) return std::nullopt;

  std::size_t results = 1;
  const int attempts = op.shape && !tensors.empty() ? 5 : 1;
  for (int tries = 0; tries < attempts; ++tries) {
    span_ = shape;
    Want now = want;
    bool filled = true;
    for (const std::size_t i : tensors) filled = filled && fill_tensor(step, i, now, tries < 2);
    if (!filled) continue;
    if (!op.shape) {
      if (element_count(span_) > result_limit * knobs_.max_elements) return std::nullopt;
    } else {
      const Shaped shaped = ask(step);
      if (!shaped.invalid.empty()) continue;
      if (!shaped.refusal.empty() && !want.wild && !want.grows) continue;
      for (const auto& result : shaped.results)
        if (element_count(result.layout.shape) > result_limit * knobs_.max_elements) return std::nullopt;
      results = std::max<std::size_t>(shaped.results.size(), shaped.refusal.empty() ? 0 : 1);
      if (results > results_limit) return std::nullopt;
    }
    if (inplace) return step;
    for (std::size_t k = 0; k < results; ++k) {
      const bool drop = results > 1 && k > 0 && choices_.chance(12);
      step.results.push_back(drop ? dropped : draft_.name_result());
    }
    return step;
  }
  return std::nullopt;
}

}  // namespace gradsmith
