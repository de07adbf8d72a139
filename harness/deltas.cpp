#include "harness/deltas.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

namespace gradsmith {
namespace {

constexpr int per_octave = 16, middle = RatioHistogram::classes / 2;

}  // namespace

int RatioHistogram::class_of(std::int64_t part, std::int64_t whole) {
  const double ratio =
      static_cast<double>(std::max<std::int64_t>(part, 1)) / static_cast<double>(std::max<std::int64_t>(whole, 1));
  const auto steps = static_cast<int>(std::lround(std::log2(ratio) * per_octave));
  return std::clamp(middle + steps, 0, classes - 1);
}

void RatioHistogram::add(const RatioHistogram& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
}

std::uint64_t RatioHistogram::total() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

double RatioHistogram::median() const {
  const std::uint64_t all = total();
  std::uint64_t seen = 0;
  for (int which = 0; which < classes; ++which) {
    seen += (*this)[which];
    if (all > 0 && 2 * seen >= all) return std::exp2(static_cast<double>(which - middle) / per_octave);
  }
  return 0;
}

std::string RatioHistogram::text() const {
  std::string out;
  for (int which = 0; which < classes; ++which)
    if ((*this)[which] > 0)
      fmt::format_to(std::back_inserter(out), "{}{}:{}", out.empty() ? "" : " ", which, (*this)[which]);
  return out;
}

std::optional<RatioHistogram> RatioHistogram::from(std::string_view text) {
  RatioHistogram out;
  const char *at = text.data(), *const end = at + text.size();
  while (at != end) {
    int which = 0;
    std::uint64_t times = 0;
    const auto name = std::from_chars(at, end, which);
    if (name.ec != std::errc() || which < 0 || which >= classes || name.ptr == end || *name.ptr != ':')
      return std::nullopt;
    const auto count = std::from_chars(name.ptr + 1, end, times);
    if (count.ec != std::errc() || (count.ptr != end && *count.ptr != ' ')) return std::nullopt;
    out.add(which, times);
    at = count.ptr == end ? end : count.ptr + 1;
  }
  return out;
}

std::vector<StepDelta> deltas_of(const Chain& chain, const Typed& typed, const std::vector<Retained>& kept, const Cost& own,
                                 const Cost& twin, bool timed) {
  std::vector<StepDelta> out;
  for (std::size_t i = 0; i < twin.steps.size(); ++i) {
    const StepCost &here = own.steps[i], &there = twin.steps[i];
    if (!here.measured || !there.measured) continue;
    const Step& step = std::get<Step>(chain.statements[i]);
    if (!step.inplace && !timed) continue;
    if (step.inplace && !step.op->pure) continue;  // the twin's stand-in is no form of the op
    StepDelta delta{.op = step.op, .inplace = step.inplace, .recorded = kept[i].recorded};
    if (timed) delta.ratio = RatioHistogram::class_of(here.nanoseconds, there.nanoseconds);
    if (step.inplace) {
      const TensorInfo& target = typed.steps[i].operands[0];
      delta.live = there.live - here.live;
      delta.peak = there.peak - here.peak;
      delta.target = element_count(target.layout.shape) * element_bytes(target.dtype);
    }
    out.push_back(delta);
  }
  return out;
}

void OpDelta::add(const StepDelta& step) {
  ++steps;
  if (step.ratio != StepDelta::untimed) ratio.add(step.ratio);
  live += step.live;
  peak += step.peak;
  target += step.target;
}

void OpDelta::add(const OpDelta& other) {
  steps += other.steps;
  ratio.add(other.ratio);
  live += other.live;
  peak += other.peak;
  target += other.target;
}

}  // namespace gradsmith
