// Passes that simplify steps: merge operands, write out of place, take a simpler op, simplify attributes.
#include <algorithm>
#include <array>
#include <optional>

#include "harness/op.hpp"
#include "harness/reduce_edit.hpp"

namespace gradsmith::reducing {
namespace {

/// The values defined before statement `i`, in order.
std::vector<Value> defined_before(const Chain& chain, std::size_t i) {
  std::vector<Value> values;
  for (std::size_t k = 0; k < i; ++k)
    for (const Value value : definitions(chain.statements[k]))
      if (value != dropped) values.push_back(value);
  return values;
}

Input* input_of(Chain& chain, Value value) {
  for (Statement& statement : chain.statements)
    if (auto* input = std::get_if<Input>(&statement); input && input->name == value) return input;
  return nullptr;
}

Step& step_at(Chain& chain, std::size_t i) { return std::get<Step>(chain.statements[i]); }

/// All uses of one value become uses of an earlier one; an input then goes. Of two inputs the one left may also have the
/// other's values, and require grad if one of them did.
void merge_values(const Chain& chain, Offer& offer) {
  for (std::size_t i = chain.statements.size(); i-- > 0;)
    for (const Value value : definitions(chain.statements[i])) {
      if (value == dropped) continue;
      const auto* input = std::get_if<Input>(&chain.statements[i]);
      for (const Value earlier : defined_before(chain, i)) {
        Chain merged = chain;
        substitute(merged, i + 1, value, earlier);
        if (input) merged.statements.erase(merged.statements.begin() + static_cast<std::ptrdiff_t>(i));
        if (offer.mended(merged)) return;
        Input* left = input ? input_of(merged, earlier) : nullptr;
        if (!left) continue;
        left->requires_grad |= input->requires_grad;
        if (offer.mended(merged)) return;
        left->values = input->values;
        if (offer.mended(std::move(merged))) return;
      }
    }
}

/// One operand becomes an earlier value, a number where one may stand, or trades places with another.
void change_operands(const Chain& chain, Offer& offer) {
  for (std::size_t i = 0; i < chain.statements.size(); ++i) {
    const auto* step = std::get_if<Step>(&chain.statements[i]);
    if (!step) continue;
    std::vector<Value> refs;
    for_each_ref(*step, [&](const Value& value) { refs.push_back(value); });
    const auto with_refs = [&](const std::vector<Value>& other) {
      Chain changed = chain;
      std::size_t at = 0;
      for_each_ref(step_at(changed, i), [&](Value& value) { value = other[at++]; });
      return offer(changed);
    };
    for (std::size_t k = 1; k < step->args.size(); ++k) {
      if (step->op->params[k].kind != Kind::tensor_or_number || !std::holds_alternative<Ref>(step->args[k])) continue;
      for (const double number : {0.0, 1.0, 2.0}) {
        Chain changed = chain;
        step_at(changed, i).args[k] = number;
        if (offer(changed)) return;
      }
    }
    for (std::size_t k = 0; k < refs.size(); ++k) {
      for (const Value earlier : defined_before(chain, i)) {
        if (earlier == refs[k]) continue;
        std::vector<Value> other = refs;
        other[k] = earlier;
        if (with_refs(other)) return;
      }
      for (std::size_t m = 0; m < k; ++m) {
        std::vector<Value> other = refs;
        std::swap(other[k], other[m]);
        if (with_refs(other)) return;
      }
    }
  }
}

/// In-place steps become out-of-place ones whose result stands for the target from there on; all at once, then singly.
void write_out_of_place(const Chain& chain, Offer& offer) {
  const auto rewrite = [](Chain& to, std::size_t i) {
    Step& step = step_at(to, i);
    if (!step.inplace || !step.op->pure) return;
    const Value target = std::get<Ref>(step.args[0]).value;
    const Value fresh = new_value(to);
    substitute(to, i + 1, target, fresh);
    step.inplace = false;
    step.results = {fresh};
  };
  Chain all = chain;
  for (std::size_t i = 0; i < chain.statements.size(); ++i)
    if (std::holds_alternative<Step>(chain.statements[i])) rewrite(all, i);
  if (offer(all)) return;
  for (std::size_t i = chain.statements.size(); i-- > 0;) {
    if (!std::holds_alternative<Step>(chain.statements[i])) continue;
    Chain one = chain;
    rewrite(one, i);
    if (offer(one)) return;
  }
}

/// A step of `name` on `operands`; where one is missing a number may stand: 2. Attributes at their defaults, else 0.
/// Nothing where that is not enough.
std::optional<Step> plain_step(std::string_view name, const Step& like, std::span<const Value> operands) {
  const Op* op = find_op(name);
  if (!op || (like.inplace ? !op->inplace : !op->pure && !op->pure_many)) return std::nullopt;
  Step step{op, like.inplace, {}, like.results};
  for (const Param& param : op->params) {
    const std::size_t i = step.args.size();
    if (takes_tensor(param.kind) && i < operands.size())
      step.args.emplace_back(Ref{operands[i]});
    else if (param.optional)
      step.args.push_back(param.preset);
    else if (param.kind == Kind::tensor_or_number)
      step.args.emplace_back(2.0);
    else if (param.kind == Kind::integer)
      step.args.emplace_back(param.name == "length" ? 1.0 : 0.0);
    else
      return std::nullopt;
  }
  return step;
}

/// Another op that a reader knows better, on each of the operands in turn, then on two of them; also on ones, which most
/// ops change.
void take_simpler_ops(const Chain& chain, Offer& offer) {
  for (std::size_t i = 0; i < chain.statements.size(); ++i) {
    const auto* step = std::get_if<Step>(&chain.statements[i]);
    if (!step) continue;
    std::vector<Value> refs;
    for_each_ref(*step, [&](const Value& value) { refs.push_back(value); });
    std::vector<std::vector<Value>> choices;
    for (const Value ref : refs) choices.push_back({ref});
    if (step->inplace && !choices.empty()) choices.resize(1);
    if (refs.size() > 1) choices.push_back({refs[0], refs[1]});
    if (refs.size() > 2) choices.push_back({refs[0], refs.back()});
    for (const std::string_view name : simple_ops()) {
      if (op_rank(name) > op_rank(step->op->name)) break;
      for (const auto& operands : choices)
        if (const auto plain = plain_step(name, *step, operands); plain && !(*plain == *step)) {
          Chain changed = chain;
          changed.statements[i] = *plain;
          if (offer.mended(changed)) return;
          for (Statement& statement : changed.statements)
            if (auto* input = std::get_if<Input>(&statement)) input->values = constant(element_count(input->shape), 1);
          if (offer.mended(std::move(changed))) return;
        }
    }
  }
}

/// Arguments that may stand in place of an attribute, simplest first.
std::vector<Argument> simpler_arguments(const Param& param, const Argument& arg) {
  std::vector<Argument> out;
  if (param.optional) out.push_back(param.preset);
  if (const auto* number = std::get_if<double>(&arg)) {
    const DType dtype = param.kind == Kind::integer ? DType::i64 : DType::f64;
    for (const double other : simpler_numbers(*number, dtype)) out.emplace_back(other);
    if (dtype == DType::i64) {
      out.emplace_back(static_cast<double>(static_cast<std::int64_t>(*number) / 2));
      out.emplace_back(*number - 1);
    }
  } else if (const auto* list = std::get_if<std::vector<double>>(&arg)) {
    for (std::size_t k = 0; k < list->size(); ++k) {
      std::vector<double> less = *list;
      less.erase(less.begin() + static_cast<std::ptrdiff_t>(k));
      out.emplace_back(less);
    }
    for (std::size_t k = 0; k < list->size(); ++k)
      for (const double other : simpler_numbers((*list)[k], DType::i64)) {
        std::vector<double> lower = *list;
        lower[k] = other;
        out.emplace_back(lower);
      }
    if (list->size() > 1) {
      std::vector<double> sorted = *list;
      std::sort(sorted.begin(), sorted.end());
      out.emplace_back(sorted);
    }
  } else if (std::holds_alternative<std::string>(arg)) {
    out.insert(out.end(), param.choices.begin(), param.choices.end());
  }
  return out;
}

/// Attributes and numbers: the default, then the smallest.
void simplify_attributes(const Chain& chain, Offer& offer) {
  for (std::size_t i = 0; i < chain.statements.size(); ++i) {
    const auto* step = std::get_if<Step>(&chain.statements[i]);
    for (std::size_t k = 0; step && k < step->args.size(); ++k) {
      if (std::holds_alternative<Ref>(step->args[k])) continue;
      for (const Argument& other : simpler_arguments(step->op->params[k], step->args[k])) {
        Chain changed = chain;
        step_at(changed, i).args[k] = other;
        if (offer(changed)) return;
      }
    }
    // Operands in a list: fewer of them.
    for (std::size_t k = 0; step && k < step->args.size(); ++k) {
      const auto* refs = std::get_if<std::vector<Ref>>(&step->args[k]);
      for (std::size_t m = refs && refs->size() > 1 ? refs->size() : 0; m-- > 0;) {
        Chain changed = chain;
        auto& less = std::get<std::vector<Ref>>(step_at(changed, i).args[k]);
        less.erase(less.begin() + static_cast<std::ptrdiff_t>(m));
        if (offer(changed)) return;
      }
    }
  }
}

constexpr std::array<Pass, 5> list{{
    {"merge values", pass<merge_values>},
    {"write out of place", pass<write_out_of_place>},
    {"take simpler ops", pass<take_simpler_ops>},
    {"change operands", pass<change_operands>},
    {"simplify attributes", pass<simplify_attributes>},
}};

}  // namespace

std::span<const Pass> step_passes() { return list; }

}  // namespace gradsmith::reducing
