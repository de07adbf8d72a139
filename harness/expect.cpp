#include "harness/expect.hpp"

#include <algorithm>
#include <array>
#include <queue>

#include "harness/layout.hpp"

namespace gradsmith {
namespace {

/// Raised inside the model where LibTorch would raise: the id of autograd.md.
struct Raised {
  std::string_view id;
};

enum class Tag : std::uint8_t { normal, multi_output, no_grad, inference };

constexpr int no_node = -1;
constexpr int max_edges = 3;  // differentiable operands of one node

struct Saved {
  int counter;       // version counter, -1: a private tensor (a clone, an internal one)
  int version;
  Value input = dropped;  // the saved input, whose grad_fn is read at unpack; none for results
};

struct Node {
  enum class Kind : std::uint8_t { op, view, output, copy_slices, accumulate };  // output: one of several of a node
  Kind kind = Kind::op;
  std::array<int, max_edges> edges{no_node, no_node, no_node};
  std::array<Saved, 4> saved{};
  std::uint8_t saved_count = 0;
  bool freed = false;
  bool overlapping_base = false;   // copy_slices with a self-overlapping base: E13 before anything is unpacked
  bool overlapping_slice = false;  // ... into a self-overlapping view: E13 afterwards
  std::string_view refusal{};      // what the op's own backward raises: E21, E22, E23
  const Op* op = nullptr;
  Value leaf = dropped;            // of accumulate

  void save(const Saved& s) { saved[saved_count++] = s; }
};

struct Tensor {
  int counter = -1;          // version counter; -1: an inference tensor tracks none
  Value base = dropped;      // of a view: the root base
  Tag tag = Tag::normal;
  int attr_version = 0;      // of a view: the version its grad_fn was made at
  bool own_flag = false;     // requires_grad_() was set
  int grad_fn = no_node;     // the raw pointer, possibly stale
  int accumulator = no_node;
  bool inference = false;
};

}  // namespace

struct Model::State {
  std::vector<Tensor> tensors;   // by Value, objects only
  std::vector<Value> object;     // by Value
  std::vector<Node> nodes;       // index = sequence number
  std::vector<int> versions;     // by counter
  std::vector<RegionBegin::Kind> regions;
  std::vector<WriteRelation> relations;
  Expectation expectation;
  int steps = 0, backwards = 0;
  std::size_t statements = 0;
  bool note_relations = false;

  bool inference_mode() const {
    return std::find(regions.begin(), regions.end(), RegionBegin::Kind::inference) != regions.end();
  }
  bool grad_mode() const { return regions.empty(); }

  Tensor& at(Value value) { return tensors[object[value]]; }
  const Tensor& at(Value value) const { return tensors[object[value]]; }

  Tensor& define(Value value, Value same_as = dropped) {
    const auto need = static_cast<std::size_t>(value) + 1;
    if (tensors.size() < need) {
      tensors.resize(need);
      object.resize(need, dropped);
    }
    object[value] = same_as == dropped ? value : object[same_as];
    return tensors[object[value]];
  }
  int new_counter() {
    versions.push_back(0);
    return static_cast<int>(versions.size()) - 1;
  }
  int version(const Tensor& t) const { return t.counter < 0 ? 0 : versions[t.counter]; }

  bool requires_grad(const Tensor& t) const {
    return t.own_flag || t.grad_fn != no_node || (t.base != dropped && requires_grad(tensors[t.base]));
  }

  int add_node(Node node) {
    nodes.push_back(std::move(node));
    return static_cast<int>(nodes.size()) - 1;
  }

  /// The error of a view that must not be rebased; `indirect`: found while reading grad_fn.
  static std::string_view view_error(const Tensor& t, bool indirect) {
    if (t.tag == Tag::inference) return indirect ? "E11i" : "E11";
    if (t.tag == Tag::no_grad || t.grad_fn == no_node) return indirect ? "E10" : "E9";
    return indirect ? "E8i" : "E8";
  }

  /// Tensor::grad_fn(): refreshes a stale view, which can raise.
  int read_grad_fn(Value object_value) {
    Tensor& t = tensors[object_value];
    if (t.base == dropped) return t.grad_fn;
    if (t.grad_fn == no_node && !requires_grad(tensors[t.base])) return no_node;
    if (t.attr_version == version(t)) return t.grad_fn;
    if (t.tag != Tag::normal) throw Raised{view_error(t, true)};
    Node node{.kind = Node::Kind::view};
    node.edges[0] = gradient_edge(t.base);
    t.attr_version = version(t);
    return t.grad_fn = add_node(node);
  }

  /// Where gradients of this tensor flow: its grad_fn, or the accumulator of a leaf.
  int gradient_edge(Value object_value) {
    const int fn = read_grad_fn(object_value);
    if (fn != no_node) return fn;
    Tensor& t = tensors[object_value];
    if (!t.own_flag) return no_node;
    if (t.accumulator == no_node)
      t.accumulator = add_node({.kind = Node::Kind::accumulate, .leaf = object_value});
    return t.accumulator;
  }

  Saved save_input(Value object_value) const {
    const Tensor& t = tensors[object_value];
    if (t.inference) throw Raised{"E16"};
    return {t.counter, version(t), object_value};
  }

  void add_step(const Step& step, const TypedStep& typed, const Typed& all);
  void write(const Step& step, const TypedStep& typed, Node node, bool any_requires_grad, const Typed& all);
  void produce(const Step& step, const TypedStep& typed, const Node* node);
  void note_write(const Op* op, Value target, const Typed& all);
  void unpack(Node& node);
  void run(std::vector<int> roots, const std::vector<int>* captures, bool retain);
  void backward(const Backward& statement, const std::vector<Value>& roots, bool given, const Typed& all);
};

void Model::State::note_write(const Op* op, Value target, const Typed& all) {
  for (const Node& node : nodes) {
    for (int i = 0; i < node.saved_count; ++i) {
      const Saved& s = node.saved[i];
      if (s.counter < 0 || s.input == dropped) continue;
      const TensorInfo &saved = all.values[s.input], &written = all.values[target];
      using Where = WriteRelation::Where;
      const Where where = saved.storage != written.storage                ? Where::other_storage
                          : s.input == target                            ? Where::same
                          : shares_cells(saved.layout, written.layout)   ? Where::overlapping
                                                                         : Where::disjoint;
      relations.push_back({node.op, op, where,
                           node.freed ? WriteRelation::When::after_backward : WriteRelation::When::before_backward});
    }
  }
}

void Model::State::add_step(const Step& step, const TypedStep& typed, const Typed& all) {
  const Op& op = *step.op;
  const Args args(step.args);
  if (!typed.results.empty() && typed.results[0].same_object) return produce(step, typed, nullptr);  // nothing is called
  // The operands that can carry a gradient, by parameter position.
  std::array<std::pair<std::size_t, Value>, max_edges> inputs;
  int input_count = 0;
  for (std::size_t i = 0; i < op.params.size(); ++i)
    if (args.is_tensor(i) && op.params[i].differentiable && is_floating(typed.operands[i].dtype))
      inputs[input_count++] = {i, object[args.tensor(i)]};

  bool any_requires_grad = false;
  for (int k = 0; k < input_count; ++k) any_requires_grad |= grad_mode() && requires_grad(tensors[inputs[k].second]);

  if (step.inplace && any_requires_grad) {  // check_inplace
    const Tensor& self = at(args.tensor(0));
    if (self.base != dropped) {
      if (self.tag != Tag::normal) throw Raised{view_error(self, false)};
      if (requires_grad(self) && tensors[self.base].grad_fn == no_node) throw Raised{"E2"};
    }
    if (requires_grad(self) && self.grad_fn == no_node) throw Raised{"E1"};
  }

  Node node{.op = &op};
  if (op.alias != Alias::none && !(typed.results.size() == 1 && !typed.results[0].view)) node.kind = Node::Kind::view;
  if (any_requires_grad && op.alias != Alias::detach) {
    std::array<int, max_edges> by_input{no_node, no_node, no_node};
    for (int k = 0; k < input_count; ++k)
      if (static_cast<int>(inputs[k].first) == op.reads_first && requires_grad(tensors[inputs[k].second]))
        gradient_edge(inputs[k].second);
    for (int k = 0; k < input_count; ++k)
      if (requires_grad(tensors[inputs[k].second])) {
        by_input[k] = gradient_edge(inputs[k].second);
        if (by_input[k] == no_node && !expectation.hole) expectation.hole = "U17";  // a view taken in a region: nothing flows
      }
    node.edges = by_input;
    const auto edge_of = [&](int param) {
      for (int k = 0; k < input_count; ++k)
        if (static_cast<int>(inputs[k].first) == param) return by_input[k];
      return no_node;
    };
    // A node unpacks its saved inputs in the order of their names, as the code generator writes it.
    std::vector<Save> rows = op.saves;
    std::stable_sort(rows.begin(), rows.end(), [&](const Save& a, const Save& b) {
      return a.reads >= 0 && b.reads >= 0 && op.params[a.reads].name < op.params[b.reads].name;
    });
    for (const Save& row : rows) {
      if (row.when && !row.when(args)) continue;
      if (row.of != any && edge_of(row.of) == no_node) continue;
      if (row.reads == internal) {
        node.save({-1, 0});
        continue;
      }
      if (row.reads == result) continue;  // recorded after the op
      if (!args.is_tensor(row.reads)) continue;
      const Value value = object[args.tensor(row.reads)];
      if (step.inplace && row.reads == 0) {
        if (row.reads_inplace != result) node.save({-1, 0});  // a private clone
        continue;
      }
      const bool already = std::any_of(node.saved.begin(), node.saved.begin() + node.saved_count,
                                       [&](const Saved& s) { return s.input == value; });
      if (!already) node.save(save_input(value));
    }
    if (op.backward_refusal && node.edges[0] != no_node) node.refusal = op.backward_refusal(args, step.inplace);
  }
  if (!typed.kernel_refusal.empty()) throw Raised{typed.kernel_refusal};
  if (step.inplace)
    write(step, typed, node, any_requires_grad, all);
  else
    produce(step, typed, any_requires_grad && op.alias != Alias::detach ? &node : nullptr);
}

/// True if the op's node keeps its result in this form.
static bool saves_result(const Step& step, const Args& args) {
  for (const Save& row : step.op->saves) {
    if (row.when && !row.when(args)) continue;
    if (row.reads == result) return true;
    if (step.inplace && row.reads == 0 && row.reads_inplace == result) return true;
  }
  return false;
}

/// The kernel may read what it has already written, and LibTorch does not check: elements of the target share cells, or
/// another operand shares some of its cells in another place.
static bool meets_itself(const Step& step, const TypedStep& typed, const Typed& all) {
  const Args args(step.args);
  const Layout& target = typed.operands[0].layout;
  const bool masked =
      std::any_of(step.op->params.begin(), step.op->params.end(), [](const Param& p) { return !p.differentiable; });
  if (step.op->overlap_unchecked && !masked) return false;  // fills and thresholds: the order does not matter
  auto cells = storage_positions(target);
  for (std::size_t i = 1; i < args.size(); ++i) {
    if (!args.is_tensor(i) || all.object[args.tensor(i)] == all.object[args.tensor(0)]) continue;
    const TensorInfo& other = typed.operands[i];
    if (other.storage != typed.operands[0].storage || !shares_cells(target, other.layout)) continue;
    if (storage_positions(other.layout) != cells) return true;
  }
  std::sort(cells.begin(), cells.end());
  return std::adjacent_find(cells.begin(), cells.end()) != cells.end() && step.op->name != "copy";
}

void Model::State::write(const Step& step, const TypedStep& typed, Node node, bool any_requires_grad, const Typed& all) {
  const Args args(step.args);
  const Value target = object[args.tensor(0)];
  if (note_relations) note_write(step.op, target, all);
  if (meets_itself(step, typed, all)) expectation.hole = "U18";
  Tensor& self = tensors[target];
  if (self.inference) {
    if (!inference_mode()) throw Raised{"E17"};
    return;
  }
  ++versions[self.counter];
  if (!any_requires_grad) return;
  const bool result_saved = saves_result(step, args);
  if (self.base == dropped) {
    if (result_saved) node.save({self.counter, version(self)});
    self.grad_fn = add_node(node);
    return;
  }
  // CopySlices wraps the op's node; the base's history is rebased, then the view's grad_fn is made anew.
  if (result_saved) node.save({self.counter, version(self)});
  node.kind = Node::Kind::copy_slices;
  node.edges[0] = gradient_edge(self.base);
  node.overlapping_base = has_internal_overlap(all.values[self.base].layout);
  node.overlapping_slice = has_internal_overlap(typed.operands[0].layout);
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
      if (source.inference || op.alias == Alias::detach) continue;
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
    if (made != no_node && saves_result(step, args)) {
      Saved saved{t.counter, 0};
      nodes[made].save(saved);
    }
  }
}

void Model::State::unpack(Node& node) {
  for (int i = 0; i < node.saved_count; ++i) {
    const Saved& saved = node.saved[i];
    if (node.freed) throw Raised{"E6"};
    if (saved.counter < 0) continue;
    if (saved.input != dropped) read_grad_fn(saved.input);
    if (versions[saved.counter] != saved.version) throw Raised{"E5"};
  }
}

/// The engine: ready nodes newest first, accumulators before all else. With `captures`, only nodes on the way to them run.
void Model::State::run(std::vector<int> roots, const std::vector<int>* captures, bool retain) {
  const auto count = nodes.size();
  std::vector<char> reachable(count), needed(count), captured(count);
  std::vector<int> pending(count);
  std::vector<int> stack;
  for (const int root : roots)
    if (!reachable[root]) {
      reachable[root] = 1;
      stack.push_back(root);
    }
  while (!stack.empty()) {
    const int at = stack.back();
    stack.pop_back();
    for (const int next : nodes[at].edges) {
      if (next == no_node) continue;
      ++pending[next];
      if (!reachable[next]) {
        reachable[next] = 1;
        stack.push_back(next);
      }
    }
  }
  if (captures)
    for (const int node : *captures)
      if (node != no_node) captured[node] = 1;
  // A node runs if some path from it leads to a capture. Edges may point to newer nodes only through rebased bases, so
  // the closure is iterated until nothing changes.
  for (bool changed = captures != nullptr; changed;) {
    changed = false;
    for (std::size_t i = 0; i < count; ++i)
      if (!needed[i])
        for (const int next : nodes[i].edges)
          if (next != no_node && (captured[next] || needed[next])) {
            needed[i] = 1;
            changed = true;
            break;
          }
  }
  // Accumulators have the largest sequence number of all.
  const auto rank = [&](int node) {
    return nodes[node].kind == Node::Kind::accumulate ? static_cast<int>(count) + node : node;
  };
  const auto later = [&](int a, int b) { return rank(a) < rank(b); };
  std::priority_queue<int, std::vector<int>, decltype(later)> ready(later);
  std::sort(roots.begin(), roots.end());
  roots.erase(std::unique(roots.begin(), roots.end()), roots.end());
  for (const int root : roots)
    if (pending[root] == 0) ready.push(root);
  while (!ready.empty()) {
    const int at = ready.top();
    ready.pop();
    if (!captures || needed[at]) {
      if (nodes[at].kind == Node::Kind::copy_slices && nodes[at].freed) throw Raised{"E6"};
      if (nodes[at].kind != Node::Kind::accumulate) {
        if (nodes[at].overlapping_base) throw Raised{"E13"};
        Node node = nodes[at];  // unpacking may refresh views, which grows `nodes`
        unpack(node);
        if (!node.refusal.empty()) throw Raised{node.refusal};
        const bool to_base = node.edges[0] != no_node && (!captures || needed[node.edges[0]] || captured[node.edges[0]]);
        if (node.kind == Node::Kind::copy_slices && node.overlapping_slice && to_base) throw Raised{"E13"};
        if (!retain) nodes[at].freed = true;
      }
    }
    for (const int next : nodes[at].edges) {
      if (next == no_node || static_cast<std::size_t>(next) >= count) continue;
      if (--pending[next] == 0) ready.push(next);
    }
  }
}

void Model::State::backward(const Backward& statement, const std::vector<Value>& roots, bool given, const Typed& all) {
  for (const Value root : roots)
    if (!given && requires_grad(at(root)) && element_count(all.values[root].layout.shape) != 1) throw Raised{"E29"};
  std::vector<int> edges;
  for (const Value root : roots) {
    const int edge = gradient_edge(object[root]);
    if (edge == no_node) throw Raised{"E28"};
    edges.push_back(edge);
  }
  const bool retain = statement.retain_graph || statement.create_graph;
  if (!statement.wrt) return run(edges, nullptr, retain);
  std::vector<int> captures;
  for (const Value value : *statement.wrt) {
    const int edge = gradient_edge(object[value]);
    if (!requires_grad(at(value))) throw Raised{"E31"};
    captures.push_back(edge);
  }
  std::vector<int> captured_nodes = captures;  // the engine captures at the node, whichever output is meant
  for (int& node : captured_nodes)
    if (node != no_node && nodes[node].kind == Node::Kind::output) node = nodes[node].edges[0];
  run(edges, &captured_nodes, retain);
  std::vector<char> reachable(nodes.size());
  std::vector<int> stack = edges;
  while (!stack.empty()) {
    const int node = stack.back();
    stack.pop_back();
    if (reachable[node]) continue;
    reachable[node] = 1;
    for (const int next : nodes[node].edges)
      if (next != no_node) stack.push_back(next);
  }
  for (const int capture : captures)
    if (capture == no_node || !reachable[capture]) throw Raised{"E30"};
}

Model::Model(bool relations) : state_(std::make_unique<State>()) { state_->note_relations = relations; }
Model::Model(const Model& other) : state_(std::make_unique<State>(*other.state_)) {}
Model& Model::operator=(const Model& other) {
  *state_ = *other.state_;
  return *this;
}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

void Model::add(const Statement& statement, const Typed& typed) {
  State& s = *state_;
  const std::size_t index = s.statements++;
  if (const auto* input = std::get_if<Input>(&statement)) {
    Tensor& t = s.define(input->name);
    t = {};
    t.counter = s.new_counter();
    t.own_flag = input->requires_grad;
  } else if (const auto* region = std::get_if<RegionBegin>(&statement)) {
    s.regions.push_back(region->kind);
  } else if (std::holds_alternative<RegionEnd>(statement)) {
    s.regions.pop_back();
  } else if (const auto* step = std::get_if<Step>(&statement)) {
    ++s.steps;
    try {
      s.add_step(*step, typed.steps[index], typed);
    } catch (const Raised& raised) {
      s.expectation.refusal = Refusal{{Phase::Kind::step, s.steps}, std::string(raised.id), {}};
    }
  } else if (const auto* backward = std::get_if<Backward>(&statement)) {
    ++s.backwards;
    try {
      s.backward(*backward, backward->roots, backward->cotangent.has_value(), typed);
    } catch (const Raised& raised) {
      if (backward->may_fail)
        s.expectation.hole = "U23";
      else
        s.expectation.refusal = Refusal{{Phase::Kind::backward, s.backwards}, std::string(raised.id), {}};
    }
    for (const Value result : backward->results) {
      if (result == dropped) continue;
      Tensor& t = s.define(result);
      t = {};
      t.counter = s.new_counter();
    }
  }
}

void Model::finish(const Chain& chain, const Typed& typed) {
  State& s = *state_;
  if (s.expectation.refusal || has_backward(chain)) return;
  const auto roots = implied_roots();
  if (roots.empty()) return;
  ++s.backwards;
  try {
    s.backward({}, roots, true, typed);
  } catch (const Raised& raised) {
    s.expectation.refusal = Refusal{{Phase::Kind::backward, s.backwards}, std::string(raised.id), {}};
  }
}

const Expectation& Model::expectation() const { return state_->expectation; }
bool Model::requires_grad(Value value) const { return state_->requires_grad(state_->at(value)); }
bool Model::is_leaf(Value value) const {
  const Tensor& t = state_->at(value);
  return t.grad_fn == no_node && state_->requires_grad(t);
}

bool Model::is_saved(Value value) const {
  const int counter = state_->at(value).counter;
  for (const Node& node : state_->nodes)
    if (!node.freed)
      for (int i = 0; i < node.saved_count; ++i)
        if (node.saved[i].counter == counter && counter >= 0) return true;
  return false;
}

std::optional<Refusal> Model::backward_would_refuse(const std::vector<Value>& roots) const {
  State copy = *state_;
  try {
    copy.backward({}, roots, true, {});
  } catch (const Raised& raised) {
    return Refusal{{Phase::Kind::backward, copy.backwards + 1}, std::string(raised.id), {}};
  }
  return std::nullopt;
}

std::vector<Value> Model::implied_roots() const {
  std::vector<Value> roots;
  for (Value value = 0; static_cast<std::size_t>(value) < state_->object.size(); ++value) {
    if (state_->object[value] != value) continue;  // undefined, or another name of one object
    const Tensor& t = state_->tensors[value];
    if (t.grad_fn != no_node) roots.push_back(value);
  }
  return roots;
}

const std::vector<WriteRelation>& Model::relations() const { return state_->relations; }

Expectation expect(const Chain& chain, const Typed& typed, std::vector<Value>* implied_roots) {
  Model model;
  for (std::size_t i = 0; i < chain.statements.size() && !model.expectation().refusal; ++i)
    model.add(chain.statements[i], typed);
  if (implied_roots && !model.expectation().refusal && !has_backward(chain)) *implied_roots = model.implied_roots();
  model.finish(chain, typed);
  return model.expectation();
}

}  // namespace gradsmith
