// The engine: what runs in a `backward`, in which order, and what it raises (autograd.md, section 5).
#include <algorithm>
#include <queue>

#include "harness/expect_state.hpp"

namespace gradsmith {

void Model::State::unpack(Node& node) {
  for (int i = 0; i < node.saved_count; ++i) {
    const Saved& saved = node.saved[i];
    unpacking = i;
    if (node.freed) throw Raised{"E6"};
    if (saved.counter < 0) continue;
    if (saved.input != dropped) read_grad_fn(saved.input);
    if (versions[saved.counter] != saved.version) throw Raised{"E5"};
  }
}

/// A first gradient becomes the leaf's .grad, an inference tensor in inference mode; later ones are added in place.
void Model::State::accumulate(Value leaf) {
  Tensor& t = tensors[leaf];
  if (t.grad == Tensor::Grad::none)
    t.grad = inference_mode() ? Tensor::Grad::inference : Tensor::Grad::normal;
  else if (t.grad == Tensor::Grad::inference && !inference_mode())
    throw Raised{"E17"};
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
      running = at;
      if (nodes[at].kind == Node::Kind::copy_slices && nodes[at].freed) throw Raised{"E6"};
      if (nodes[at].kind == Node::Kind::accumulate) {
        accumulate(nodes[at].leaf);
      } else {
        if (nodes[at].overlapping_base) throw Raised{"E13"};
        Node node = nodes[at];  // unpacking may refresh views, which grows `nodes`
        unpack(node);
        if (!node.refusal.empty()) throw Raised{node.refusal};
        const bool to_base = node.edges[0] != no_node && (!captures || needed[node.edges[0]] || captured[node.edges[0]]);
        if (node.kind == Node::Kind::copy_slices && node.overlapping_slice && to_base) throw Raised{"E13"};
        nodes[at].ran = true;
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

}  // namespace gradsmith
