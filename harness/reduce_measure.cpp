#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "harness/op.hpp"
#include "harness/print.hpp"
#include "harness/reduce_edit.hpp"

namespace gradsmith::reducing {
namespace {

constexpr std::array favourites{0.0, 1.0, -1.0, 2.0, -2.0, 3.0, 0.5, -0.5};
constexpr int generated = 1000;  // one element of a generator that could be written out; more than any finite number
constexpr int too_long = 1'000'000;  // a list that should be a generator

std::int64_t spec_cost(const Spec& spec, std::int64_t count) {
  if (spec.kind == Spec::Kind::list) {
    std::int64_t cost = count > longest_list ? too_long : 0;
    for (const double value : spec.list) cost += number_cost(value);
    return cost + (count == 0);
  }
  const bool listable = count > 0 && count <= longest_list;
  std::int64_t cost = listable ? generated * count : 0;
  cost += 50 * static_cast<int>(spec.kind) - 50 + number_cost(static_cast<double>(spec.seed));
  if (spec.kind == Spec::Kind::uniform) cost += number_cost(spec.lo) + number_cost(spec.hi);
  return cost;
}

std::int64_t argument_cost(const Argument& arg) {
  if (const auto* number = std::get_if<double>(&arg)) return number_cost(*number);
  if (const auto* list = std::get_if<std::vector<double>>(&arg)) {
    std::int64_t cost = 0;
    for (const double value : *list) cost += 3 + number_cost(value);
    return cost;
  }
  return 0;
}

void add(Measure& m, const Input& input) {
  std::int64_t cells = 1;
  for (const std::int64_t extent : input.shape) cells *= extent == 0 ? 2 : extent;
  m.elements += cells;
  m.dimensions += static_cast<int>(input.shape.size());
  m.unusual += input.requires_grad + input.strides.has_value() + (input.offset != 0) + (input.dtype != DType::f64);
  m.cost += spec_cost(input.values, element_count(input.shape));
  m.cost += number_cost(static_cast<double>(input.offset));
  if (input.strides)
    for (const std::int64_t stride : *input.strides) m.cost += number_cost(static_cast<double>(stride));
}

void add(Measure& m, const Step& step) {
  ++m.steps;
  m.unusual += step.inplace;
  m.ranks += op_rank(step.op->name);
  for (std::size_t k = 0; k < step.results.size(); ++k)
    if (step.results[k] != dropped) m.cost += static_cast<std::int64_t>(k) + 1;
  for (std::size_t i = 0; i < step.args.size(); ++i) {
    const Param& param = step.op->params[i];
    if (param.optional && step.args[i] == param.preset) continue;
    m.unusual += param.optional;
    m.cost += argument_cost(step.args[i]);
  }
}

void add(Measure& m, const Backward& backward) {
  m.unusual += backward.wrt.has_value() + backward.cotangent.has_value();
  m.unusual += backward.retain_graph + backward.create_graph + backward.may_fail;
  m.cost += 100 * static_cast<std::int64_t>(backward.roots.size());
  if (!backward.cotangent) return;
  const bool list = backward.cotangent->kind == Spec::Kind::list;
  m.cost += spec_cost(*backward.cotangent, list ? static_cast<std::int64_t>(backward.cotangent->list.size()) : 1);
}

}  // namespace

std::span<const std::string_view> simple_ops() {
  static constexpr std::array<std::string_view, 11> names{"zero", "clone",   "neg",       "sin",    "exp",   "mul",
                                                          "add",  "squeeze", "unsqueeze", "narrow", "unbind"};
  return names;
}

int op_rank(std::string_view name) {
  const auto ops = simple_ops();
  return static_cast<int>(std::find(ops.begin(), ops.end(), name) - ops.begin());
}

int number_cost(double value) {
  if (value == 0 && std::signbit(value)) return 20;
  const auto at = std::find(favourites.begin(), favourites.end(), value);
  if (at != favourites.end()) return static_cast<int>(at - favourites.begin());
  if (!std::isfinite(value)) return 500;
  return 8 + 4 * static_cast<int>(print_number(value).size());
}

std::vector<double> simpler_numbers(double value, DType dtype) {
  std::vector<double> out;
  const auto consider = [&](double number) {
    const bool fits = is_floating(dtype)    ? round_to(dtype, number) == number
                      : dtype == DType::i64 ? std::trunc(number) == number
                                            : number == 0 || number == 1;
    if (fits && number_cost(number) < number_cost(value) && std::find(out.begin(), out.end(), number) == out.end())
      out.push_back(number);
  };
  for (const double number : favourites) consider(number);
  if (!std::isfinite(value)) return out;
  consider(std::trunc(value));
  consider(std::round(value));
  consider(std::trunc(value) + std::copysign(1, value));
  if (value == 0) return out;
  for (int digits = 1; digits <= 3; ++digits) {
    char text[32];
    std::snprintf(text, sizeof text, "%.*e", digits - 1, value);
    consider(std::strtod(text, nullptr));
  }
  return out;
}

Measure measure(const Chain& chain) {
  Measure m;
  m.statements = static_cast<int>(chain.statements.size());
  bool others = false;
  for (const Statement& statement : chain.statements) {
    if (const auto* input = std::get_if<Input>(&statement)) {
      add(m, *input);
      m.late_inputs += others;
      continue;
    }
    others = true;
    if (const auto* step = std::get_if<Step>(&statement)) add(m, *step);
    if (const auto* backward = std::get_if<Backward>(&statement)) add(m, *backward);
  }
  m.text = print({chain.names, chain.statements, {}});
  m.length = m.text.size();
  return m;
}

}  // namespace gradsmith::reducing
