#include "harness/probe.hpp"

#include <algorithm>
#include <cmath>

#include "harness/layout.hpp"
#include "harness/op.hpp"
#include "harness/reference.hpp"

namespace gradsmith {
namespace {

Value new_name(Chain& chain, std::string_view letter) {
  chain.names.push_back(std::string(letter) + std::to_string(chain.names.size()));
  return static_cast<Value>(chain.names.size()) - 1;
}

/// A step of one operand with everything else at its default: `name(operand)`, or `name(operand, number)`.
Step simple_step(std::string_view name, Value operand, double number = 0) {
  Step step{.op = find_op(name), .args = {Ref{operand}}};
  for (std::size_t i = 1; i < step.op->params.size(); ++i) {
    const Param& param = step.op->params[i];
    step.args.push_back(param.optional ? param.preset : Argument(number));
  }
  return step;
}

/// An input with the values and the layout that a tensor has at some place of a chain.
Input input_like(const TensorInfo& info, std::vector<double> elements, Value name) {
  Input input{.name = name, .dtype = info.dtype, .shape = info.layout.shape};
  if (!(info.layout == contiguous_layout(info.layout.shape))) {
    input.strides = info.layout.strides;
    input.offset = info.layout.offset;
  }
  input.values.kind = Spec::Kind::list;
  input.values.list = std::move(elements);
  return input;
}

/// The tensors of a chain as they are before one of its statements; nothing if something before it is refused.
std::optional<Evaluator> evaluate_before(const Chain& chain, const Typed& typed, std::size_t statement) {
  Evaluator evaluator(0, floating_type(chain));
  for (std::size_t i = 0; i < statement; ++i) {
    if (!typed.steps[i].kernel_refusal.empty()) return std::nullopt;
    evaluator.add(chain.statements[i], typed);
    if (const auto* backward = std::get_if<Backward>(&chain.statements[i]))
      for (const Value value : backward->results)  // any numbers do: the op is judged on what it is given
        if (value != dropped) {
          const auto count = static_cast<std::size_t>(element_count(typed.values[value].layout.shape));
          evaluator.bind(value, std::vector<Lanes>(count, 0.5));
        }
  }
  return evaluator;
}

/// The probes of one chain with one choice of who requires grad.
class Variations {
 public:
  Variations(const Chain& isolated, std::vector<Chain>& out)
      : alone_(isolated), step_(std::get<Step>(isolated.statements.back())), out_(out) {
    product_ = step_.inplace ? Args(step_.args).tensor(0) : step_.results[0];
  }

  void add_all() {
    out_.push_back(alone_);
    if (step_.inplace) {
      write_leaf();
      write_saved();
      write_viewed();
    }
    write_product();
    write_operands();
    backward_twice();
    backward_of_one_sign();
  }

 private:
  /// `op(a); add_(v, 1)`: in plain sight, then where autograd does not look. `mul_(v, 2)` moves what a tangent shares with
  /// another.
  void write_product() {
    Step write = simple_step("add", product_, 1);
    write.inplace = true;
    Step scale = simple_step("mul", product_, 2);
    scale.inplace = true;
    for (const Step& seen : {write, scale}) {
      Chain open = alone_;
      open.statements.push_back(seen);
      out_.push_back(std::move(open));
    }
    out_.push_back(unseen(write));
  }

  void write_operands() {
    for (const Statement& statement : alone_.statements)
      if (const auto* input = std::get_if<Input>(&statement); input && is_floating(input->dtype)) {
        Step write = simple_step("add", input->name, 1);
        write.inplace = true;
        out_.push_back(unseen(write));
      }
  }

  void backward_twice() {
    Chain twice = alone_;
    twice.statements.push_back(Backward{.roots = {product_}, .cotangent = Spec{}, .retain_graph = true});
    twice.statements.push_back(Backward{.roots = {product_}, .cotangent = Spec{}});
    out_.push_back(std::move(twice));
  }

  /// What sums of these come to is no matter of chance: nothing cancels.
  void backward_of_one_sign() {
    Chain once = alone_;
    once.statements.push_back(
        Backward{.roots = {product_}, .cotangent = Spec{.kind = Spec::Kind::uniform, .lo = 0.5, .hi = 2}});
    out_.push_back(std::move(once));
  }

  Chain unseen(const Step& write) const {
    Chain out = alone_;
    out.statements.emplace_back(RegionBegin{});
    out.statements.emplace_back(write);
    out.statements.emplace_back(RegionEnd{});
    return out;
  }

  /// `op_(a)` without the clone before it.
  void write_leaf() {
    const auto* copy = std::get_if<Step>(&alone_.statements[alone_.statements.size() - 2]);
    if (!copy) return;
    Chain out = alone_;
    out.statements.erase(out.statements.end() - 2);
    auto& step = std::get<Step>(out.statements.back());
    for_each_ref(step, [&](Value& value) {
      if (value == copy->results[0]) value = Args(copy->args).tensor(0);
    });
    out_.push_back(std::move(out));
  }

  /// The target is the result of exp in place of a clone: the node before keeps it for backward.
  void write_saved() {
    Chain out = alone_;
    auto* source = std::get_if<Step>(&out.statements[out.statements.size() - 2]);
    if (!source) return;
    source->op = find_op("exp");
    out_.push_back(std::move(out));
  }

  /// The target has a view when it is written.
  void write_viewed() {
    Chain out = alone_;
    Step view = simple_step("unsqueeze", product_);
    view.results = {new_name(out, "s")};
    out.statements.insert(out.statements.end() - 1, std::move(view));
    out_.push_back(std::move(out));
  }

  const Chain& alone_;
  const Step& step_;
  std::vector<Chain>& out_;
  Value product_ = dropped;
};

/// With all operands requiring grad, with one of them, and with none.
void add_for_all_leaves(const Chain& isolated, std::vector<Chain>& out) {
  std::vector<std::size_t> leaves;
  for (std::size_t i = 0; i < isolated.statements.size(); ++i)
    if (const auto* input = std::get_if<Input>(&isolated.statements[i]); input && input->requires_grad)
      leaves.push_back(i);
  const auto with = [&](auto requires_grad) {
    Chain variation = isolated;
    for (const std::size_t i : leaves) std::get<Input>(variation.statements[i]).requires_grad = requires_grad(i);
    Variations(variation, out).add_all();
  };
  with([](std::size_t) { return true; });
  if (leaves.size() > 1)
    for (const std::size_t one : leaves) with([one](std::size_t i) { return i == one; });
  if (!leaves.empty()) with([](std::size_t) { return false; });
}

/// The same numbers in contiguous operands, which every write accepts; nothing if they are contiguous.
std::optional<Chain> contiguous(const Chain& isolated) {
  Chain out = isolated;
  bool changed = false;
  for (Statement& statement : out.statements)
    if (auto* input = std::get_if<Input>(&statement)) {
      changed |= input->strides.has_value() || input->offset != 0;
      input->strides.reset();
      input->offset = 0;
    }
  return changed ? std::optional(std::move(out)) : std::nullopt;
}

/// An operand that stands in several places stands there as several inputs; nothing if none does.
std::optional<Chain> apart(const Chain& isolated) {
  Chain out = isolated;
  Step step = std::get<Step>(out.statements.back());
  out.statements.pop_back();
  std::vector<Value> seen;
  bool changed = false;
  for_each_ref(step, [&](Value& value) {
    const bool again = std::find(seen.begin(), seen.end(), value) != seen.end();
    seen.push_back(value);
    const auto of = std::find_if(out.statements.begin(), out.statements.end(), [&](const Statement& statement) {
      const auto* input = std::get_if<Input>(&statement);
      return input && input->name == value;
    });
    if (!again || of == out.statements.end()) return;
    Input copy = std::get<Input>(*of);
    value = copy.name = new_name(out, "a");
    out.statements.insert(out.statements.begin(), std::move(copy));
    changed = true;
  });
  out.statements.emplace_back(std::move(step));
  return changed ? std::optional(std::move(out)) : std::nullopt;
}

/// The greatest and the least element of each operand, alone: everywhere in it, and so in the others what they have there.
/// What an op does to one element may stand within the rounding of the elements beside it.
std::vector<Chain> on_one_element(const Chain& isolated) {
  const auto numbers_of = [](const Statement& statement) -> const std::vector<double>* {
    const auto* input = std::get_if<Input>(&statement);
    return input && is_floating(input->dtype) && input->values.list.size() > 1 ? &input->values.list : nullptr;
  };
  std::vector<Chain> out;
  for (const Statement& statement : isolated.statements) {
    const auto* numbers = numbers_of(statement);
    if (!numbers) continue;
    const auto [least, greatest] = std::minmax_element(
        numbers->begin(), numbers->end(), [](double a, double b) { return std::abs(a) < std::abs(b); });
    for (const auto chosen : {greatest, least}) {
      const auto element = chosen - numbers->begin();
      Chain one = isolated;
      for (Statement& other : one.statements)
        if (const auto* list = numbers_of(other); list && list->size() == numbers->size()) {
          const double number = (*list)[static_cast<std::size_t>(element)];
          std::get<Input>(other).values.list.assign(list->size(), number);
        }
      out.push_back(std::move(one));
    }
  }
  return out;
}

/// The input at `place` holds `here` everywhere, all others `elsewhere`.
Chain on_numbers(Chain chain, std::size_t place, double here, double elsewhere) {
  for (std::size_t i = 0; i < chain.statements.size(); ++i)
    if (auto* input = std::get_if<Input>(&chain.statements[i]); input && is_floating(input->dtype))
      std::fill(input->values.list.begin(), input->values.list.end(), i == place ? here : elsewhere);
  return chain;
}

/// The input at `place` comes of a leaf of zeros, scaled by `factor`, and of its values; contiguous.
Chain stretch(Chain chain, std::size_t place, double factor = 0x1p60) {
  Input still = std::get<Input>(chain.statements[place]);
  still.strides.reset();
  still.offset = 0;
  Input zeros = still;
  const Value operand = still.name;
  still.requires_grad = false;
  still.name = new_name(chain, "x");
  zeros.name = new_name(chain, "z");
  std::fill(zeros.values.list.begin(), zeros.values.list.end(), 0.0);
  Step scale = simple_step("mul", zeros.name, factor);
  scale.results = {new_name(chain, "m")};
  Step move = simple_step("add", scale.results[0]);
  move.args[1] = Ref{still.name};
  move.results = {operand};
  chain.statements[place] = std::move(still);
  chain.statements.insert(chain.statements.begin(), std::move(zeros));
  const auto first = std::find_if(chain.statements.begin(), chain.statements.end(),
                                  [](const Statement& s) { return std::holds_alternative<Step>(s); });
  auto place_of_sum = first;
  if (first + 1 != chain.statements.end()) {  // a clone, which a write goes to: the sum can take its place
    const Step& clone = std::get<Step>(*first);
    bool read = Args(clone.args).tensor(0) != operand;
    for_each_ref(std::get<Step>(chain.statements.back()), [&](Value value) { read |= value == operand; });
    if (!read) {
      move.results = clone.results;
      place_of_sum = chain.statements.erase(first);
    }
  }
  chain.statements.insert(place_of_sum, {std::move(scale), std::move(move)});
  return chain;
}

}  // namespace

std::optional<Chain> isolate(const Chain& chain, const Typed& typed, std::size_t statement) {
  const auto evaluator = evaluate_before(chain, typed, statement);
  if (!evaluator) return std::nullopt;
  return isolate(chain, typed, statement, [&](Value value) {
    Operand operand;
    for (const Lanes& element : evaluator->lanes(value)) operand.elements.push_back(element.exact());
    return operand;
  });
}

std::optional<Chain> isolate(const Chain& chain, const Typed& typed, std::size_t statement, const OperandOf& operand) {
  const Step& step = std::get<Step>(chain.statements[statement]);
  const TypedStep& types = typed.steps[statement];
  Chain out;
  Step alone = step;
  std::vector<std::pair<Value, Value>> renamed;  // one input per tensor object
  for (std::size_t i = 0; i < step.args.size(); ++i) {
    const bool differentiable = step.op->params[i].differentiable;
    const auto as_input = [&](Value& value) {
      const Value object = typed.object[value];
      const auto known = std::find_if(renamed.begin(), renamed.end(), [&](auto& r) { return r.first == object; });
      if (known == renamed.end()) {
        const TensorInfo& info = std::holds_alternative<Ref>(step.args[i]) ? types.operands[i] : typed.values[value];
        Operand found = operand(value);
        Input input = input_like(info, std::move(found.elements), new_name(out, "a"));
        input.requires_grad = is_floating(info.dtype) && differentiable && found.requires_grad;
        value = input.name;
        out.statements.emplace_back(std::move(input));
        renamed.emplace_back(object, value);
      } else {
        value = known->second;
      }
    };
    if (auto* ref = std::get_if<Ref>(&alone.args[i])) as_input(ref->value);
    if (auto* refs = std::get_if<std::vector<Ref>>(&alone.args[i]))
      for (Ref& ref : *refs) as_input(ref.value);
  }
  if (renamed.empty()) return std::nullopt;
  if (step.inplace && (is_dense(types.operands[0].layout) || !step.op->pure)) {  // a leaf must not be written
    Step copy = simple_step("clone", std::get<Ref>(alone.args[0]).value);
    copy.results = {new_name(out, "h")};
    alone.args[0] = Ref{copy.results[0]};
    out.statements.emplace_back(std::move(copy));
  } else if (step.inplace) {
    alone.inplace = false;
    alone.results = {new_name(out, "v")};
  } else {
    for (Value& result : alone.results) result = new_name(out, "v");
  }
  out.statements.emplace_back(std::move(alone));
  return out;
}

std::vector<Chain> probes(const Chain& isolated) {
  std::vector<Chain> out;
  add_for_all_leaves(isolated, out);
  if (auto plain = contiguous(isolated)) add_for_all_leaves(*plain, out);
  if (auto parted = apart(isolated)) add_for_all_leaves(*parted, out);
  for (Chain& one : on_one_element(isolated)) out.push_back(std::move(one));
  return out;
}

std::vector<Chain> stretched(const Chain& isolated) {
  std::vector<Chain> out;
  for (std::size_t i = 0; i < isolated.statements.size(); ++i) {
    const auto* input = std::get_if<Input>(&isolated.statements[i]);
    if (!input || !input->requires_grad) continue;
    out.push_back(stretch(isolated, i));
    for (const double here : {1.0, 2.0}) out.push_back(stretch(on_numbers(isolated, i, here, 3 - here), i));
  }
  return out;
}

std::vector<Chain> stretched_far(const Chain& isolated) {
  std::vector<Chain> all{isolated}, out;
  for (Chain& one : on_one_element(isolated)) all.push_back(std::move(one));
  for (const Chain& numbers : all)
    for (std::size_t i = 0; i < numbers.statements.size(); ++i)
      if (const auto* input = std::get_if<Input>(&numbers.statements[i]); input && input->requires_grad)
        out.push_back(stretch(numbers, i, 0x1p1000));
  return out;
}

}  // namespace gradsmith
