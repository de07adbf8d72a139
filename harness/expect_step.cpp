// Steps: what LibTorch does before, during and after one op (autograd.md, sections 3 and 4).
#include <algorithm>
#include <span>

#include "harness/expect_state.hpp"
#include "harness/layout.hpp"

namespace gradsmith {
namespace {

/// True if the op's node keeps its result in this form.
bool saves_result(const Step& step, const TypedStep& typed, const Args& args) {
  for (const Save& row : step.op->saves) {
    if (row.when && !row.when(args, typed.operands)) continue;
    if (row.reads == result) return true;
    if (step.inplace && row.reads == 0 && row.reads_inplace == result) return true;
  }
  return false;
}

bool repeats_cells(const Layout& layout) {
  auto cells = storage_positions(layout);
  std::sort(cells.begin(), cells.end());
  return std::adjacent_find(cells.begin(), cells.end()) != cells.end();
}

/// The kernel may read what it has already written, and LibTorch does not check: elements of the target share cells, or
/// another operand shares some of its cells in another place.
bool meets_itself(const Step& step, const TypedStep& typed, const Typed& all) {
  const Args args(step.args);
  const Layout& target = typed.operands[0].layout;
  const bool masked =
      std::any_of(step.op->params.begin(), step.op->params.end(), [](const Param& p) { return !p.differentiable; });
  if (step.op->overlap_unchecked && !masked) return false;  // fills and thresholds: the order does not matter
  if (step.op->name == "copy" && same_place(typed.operands[0], typed.operands[1]))
    return false;  // onto itself: returns early
  const auto cells = storage_positions(target);
  for (std::size_t i = 1; i < args.size(); ++i) {
    if (!args.is_tensor(i) || all.object[args.tensor(i)] == all.object[args.tensor(0)]) continue;
    const TensorInfo& other = typed.operands[i];
    if (other.storage != typed.operands[0].storage || !shares_cells(target, other.layout)) continue;
    if (storage_positions(other.layout) != cells) return true;
  }
  return repeats_cells(target);
}

}  // namespace

/// The operands of one step that can carry a gradient, and the edges that reading them gave.
struct Model::State::Inputs {
  struct Input {
    int param;
    Value object;
    int edge = no_node;
  };
  std::array<Input, max_edges> list{};
  int count = 0;
  bool any_requires_grad = false;  ///< and grad mode is on
  bool unseen = false;             ///< an operand has a history, but no operand leads to autograd

  std::span<Input> all() { return {list.data(), static_cast<std::size_t>(count)}; }
  std::span<const Input> all() const { return {list.data(), static_cast<std::size_t>(count)}; }
  int edge_of(int param) const {
    for (const Input& input : all())
      if (input.param == param) return input.edge;
    return no_node;
  }
};

Model::State::Inputs Model::State::inputs_of(const Step& step, const TypedStep& typed) const {
  const Args args(step.args);
  Inputs inputs;
  if (step.op->name == "copy" && !is_floating(typed.operands[0].dtype)) return inputs;  // alone to look at the target's type
  for (std::size_t i = 0; i < step.op->params.size(); ++i) {
    if (!args.is_tensor(i) || !step.op->params[i].differentiable || !is_floating(typed.operands[i].dtype)) continue;
    inputs.list[inputs.count++] = {static_cast<int>(i), object[args.tensor(i)]};
    inputs.any_requires_grad |= grad_mode() && requires_grad(at(args.tensor(i)));
  }
  bool reaches_autograd = false;  // an inference tensor is not seen there, even where it has a history
  for (std::size_t i = 0; i < args.size(); ++i) reaches_autograd |= args.is_tensor(i) && !at(args.tensor(i)).inference;
  inputs.unseen = inputs.any_requires_grad && !reaches_autograd;
  inputs.any_requires_grad &= reaches_autograd;
  return inputs;
}

void Model::State::check_inplace(const Tensor& self) const {
  if (self.base != dropped) {
    if (self.tag != Tag::normal) throw Raised{view_error(self, false)};
    if (requires_grad(self) && tensors[self.base].grad_fn == no_node) throw Raised{"E2"};
  }
  if (requires_grad(self) && self.grad_fn == no_node) throw Raised{"E1"};
}

/// Reads the grad_fn of every operand that requires grad, which can raise.
void Model::State::connect(Node& node, const Step& step, const TypedStep& typed, Inputs& inputs) {
  const auto through_view = [&](const Inputs::Input& input) {
    return step.op->through_view && step.op->through_view(typed.operands, input.param);
  };
  const auto read = [&](int k) {
    Inputs::Input& input = inputs.list[k];
    if (!requires_grad(tensors[input.object])) return;
    input.edge = node.edges[k] = gradient_edge(input.object);
    if (input.edge == no_node && !expectation.hole) enter_hole("U17");  // a view taken in a region: nothing flows
    if (!through_view(input)) return;
    Node view{.kind = Node::Kind::view};
    view.edges[0] = input.edge;
    input.edge = node.edges[k] = add_node(std::move(view));
  };
  for (const bool first : {true, false})
    for (int k = 0; k < inputs.count; ++k)
      if (through_view(inputs.list[k]) == first) read(k);
}

Model::State::Saved Model::State::save_input(Value object_value) const {
  const Tensor& t = tensors[object_value];
  if (t.inference) throw Raised{"E16"};
  return {t.counter, version(t), object_value};
}

/// What the node keeps before the kernel runs; a kept result is recorded after it. True if a clone of the target is.
bool Model::State::save_operands(Node& node, const Step& step, const TypedStep& typed, const Inputs& inputs) const {
  const Args args(step.args);
  bool clone = false;
  for (const Save& row : step.op->saves) {
    if (row.reads == result || (row.when && !row.when(args, typed.operands))) continue;
    if (row.of != any && inputs.edge_of(row.of) == no_node) continue;
    if (row.reads == internal) {
      node.save({-1, 0});
      continue;
    }
    if (!args.is_tensor(row.reads)) continue;
    const Value value = object[args.tensor(row.reads)];
    if (step.inplace && row.reads == 0) {
      if (row.reads_inplace == result) continue;
      node.save({-1, 0});  // a private clone
      clone = true;
      continue;
    }
    const bool already = std::any_of(node.saved.begin(), node.saved.begin() + node.saved_count,
                                     [&](const Saved& s) { return s.input == value; });
    if (!already) node.save(save_input(value));
  }
  return clone;
}

void Model::State::add_step(const Step& step, const TypedStep& typed, const Typed& all) {
  const Op& op = *step.op;
  const Args args(step.args);
  if (!typed.results.empty() && typed.results[0].same_object) return produce(step, typed, nullptr);  // nothing is called
  // A composite looks at its attributes before it calls what autograd knows.
  if (typed.kernel_refusal == "E24" && !op.composite.empty()) throw Raised{typed.kernel_refusal};
  if (typed.kernel_refusal == "E41" && op.mixing == Mixing::refused_first) throw Raised{typed.kernel_refusal};
  Inputs inputs = inputs_of(step, typed);
  if (inputs.unseen && op.alias != Alias::detach) enter_hole("U24");
  if (step.inplace && inputs.any_requires_grad) check_inplace(at(args.tensor(0)));
  Node node{.op = &op, .inplace = step.inplace};
  if (op.alias != Alias::none && !(typed.results.size() == 1 && !typed.results[0].view)) node.kind = Node::Kind::view;
  const bool tracked = inputs.any_requires_grad && op.alias != Alias::detach;
  if (tracked) {
    connect(node, step, typed, inputs);
    kept.back().recorded = true;
    kept.back().clone = save_operands(node, step, typed, inputs);
    if (op.backward_refusal && node.edges[0] != no_node) node.refusal = op.backward_refusal(args, step.inplace);
    if (node.refusal == "E23") kept.back().clone = false;  // a node without a formula keeps nothing
  }
  node.cuts = op.functional || (op.name == "pow" && args.is_number(1) && args[1] == 0);
  if (!typed.kernel_refusal.empty()) throw Raised{typed.kernel_refusal};
  if (step.inplace)
    write(step, typed, node, inputs.any_requires_grad, all);
  else
    produce(step, typed, tracked ? &node : nullptr);
}

void Model::State::note_write(const Op* op, Value target, const Typed& all) {
  for (const Node& node : nodes) {
    for (int i = 0; i < node.saved_count; ++i) {
      const Saved& s = node.saved[i];
      const Value kept = s.input == dropped ? s.result : s.input;
      if (s.counter < 0 || kept == dropped) continue;
      const TensorInfo &saved = all.values[kept], &written = all.values[target];
      using Where = WriteRelation::Where;
      using When = WriteRelation::When;
      const Where where = saved.storage != written.storage                ? Where::other_storage
                          : kept == target                               ? Where::same
                          : shares_cells(saved.layout, written.layout)   ? Where::overlapping
                                                                         : Where::disjoint;
      const When when = node.freed ? When::after_backward : node.ran ? When::after_retained : When::before_backward;
      relations.push_back({node.op, op, where, when, node.inplace, s.input == dropped, s.counter == tensors[target].counter});
    }
  }
}

void Model::State::write(const Step& step, const TypedStep& typed, Node node, bool any_requires_grad, const Typed& all) {
  const Args args(step.args);
  const Value target = object[args.tensor(0)];
  if (note_relations) note_write(step.op, target, all);
  if (meets_itself(step, typed, all)) enter_hole("U18");
  Tensor& self = tensors[target];
  if (self.counter < 0) {
    if (!inference_mode()) throw Raised{"E17"};
    return;
  }
  ++versions[self.counter];
  if (!any_requires_grad || !is_floating(typed.operands[0].dtype)) return;
  const bool result_saved = saves_result(step, typed, args);
  if (result_saved && self.inference) throw Raised{"E16"};
  if (result_saved) node.save({self.counter, version(self), dropped, target});
  if (self.base == dropped) {
    self.grad_fn = add_node(node);
    return;
  }
  // CopySlices wraps the op's node; the base's history is rebased, then the view's grad_fn is made anew.
  node.kind = Node::Kind::copy_slices;
  node.edges[0] = gradient_edge(self.base);
  node.overlapping_base = has_internal_overlap(all.values[self.base].layout);
  // Of the base's elements that share a written cell, backward knows the view's alone.
  if (!node.overlapping_base && repeats_cells(all.values[self.base].layout)) enter_hole("U18");
  node.overlapping_slice = has_internal_overlap(typed.operands[0].layout);
  // A copy onto itself, which nobody checks: of the view's elements that share a cell each hands on its cotangent.
  if (step.op->name == "copy" && repeats_cells(typed.operands[0].layout)) enter_hole("U18");
  tensors[self.base].grad_fn = add_node(node);
  read_grad_fn(target);
}

void Model::State::produce(const Step& step, const TypedStep& typed, const Node* node) {
  const Args args(step.args);
  const Op& op = *step.op;
  int made = no_node;
  if (node) made = add_node(*node);
  for (std::size_t k = 0; k < step.results.size(); ++k) {
    const ResultInfo& info = typed.results[k];
    const Value value = step.results[k];
    if (value == dropped) continue;
    if (info.same_object) {
      define(value, args.tensor(0));
      continue;
    }
    define(value);
    Tensor& t = tensors[value];
    t = {};
    if (op.alias != Alias::none && (info.view || op.alias == Alias::detach)) {
      const Tensor& source = at(args.tensor(0));
      t.counter = source.counter;
      t.inference = source.inference;
      if (source.inference) {  // detach() gives it a counter, and with it the right to be written
        t.counter = op.alias == Alias::detach && !inference_mode() ? new_counter() : -1;
        continue;
      }
      if (op.alias == Alias::detach) continue;
      t.base = source.base == dropped ? object[args.tensor(0)] : source.base;
      Tag own = Tag::normal;
      if (inference_mode()) own = Tag::inference;
      else if (!grad_mode()) own = Tag::no_grad;
      else if (op.alias == Alias::multi_view) own = Tag::multi_output;
      t.tag = own == Tag::normal || source.tag == Tag::inference ? source.tag : own;
      t.attr_version = version(t);
      t.grad_fn = made;
      if (op.alias == Alias::multi_view && made != no_node) {  // a node per output: what arrives at one is told from the others
        Node output{.kind = Node::Kind::output, .op = &op};
        output.edges[0] = made;
        tensors[value].grad_fn = add_node(output);
      }
      continue;
    }
    t.inference = inference_mode();
    t.counter = t.inference ? -1 : new_counter();
    t.grad_fn = made;
    if (made != no_node && saves_result(step, typed, args)) {
      Saved saved{t.counter, 0, dropped, value};
      nodes[made].save(saved);
    }
  }
}

}  // namespace gradsmith
