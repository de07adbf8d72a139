#include "harness/expect_state.hpp"

#include <algorithm>

namespace gradsmith {

bool Model::State::inference_mode() const {
  return std::find(regions.begin(), regions.end(), RegionBegin::Kind::inference) != regions.end();
}

Model::State::Tensor& Model::State::define(Value value, Value same_as) {
  const auto need = static_cast<std::size_t>(value) + 1;
  if (tensors.size() < need) {
    tensors.resize(need);
    object.resize(need, dropped);
  }
  object[value] = same_as == dropped ? value : object[same_as];
  return tensors[object[value]];
}

int Model::State::new_counter() {
  versions.push_back(0);
  return static_cast<int>(versions.size()) - 1;
}

bool Model::State::requires_grad(const Tensor& t) const {
  return t.own_flag || t.grad_fn != no_node || (t.base != dropped && requires_grad(tensors[t.base]));
}

int Model::State::add_node(Node node) {
  nodes.push_back(std::move(node));
  return static_cast<int>(nodes.size()) - 1;
}

std::string_view Model::State::view_error(const Tensor& t, bool indirect) {
  if (t.tag == Tag::inference) return indirect ? "E11i" : "E11";
  if (t.tag == Tag::no_grad || t.grad_fn == no_node) return indirect ? "E10" : "E9";
  return indirect ? "E8i" : "E8";
}

int Model::State::read_grad_fn(Value object_value) {
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

int Model::State::gradient_edge(Value object_value) {
  const int fn = read_grad_fn(object_value);
  if (fn != no_node) return fn;
  Tensor& t = tensors[object_value];
  if (!t.own_flag) return no_node;
  if (t.accumulator == no_node) t.accumulator = add_node({.kind = Node::Kind::accumulate, .leaf = object_value});
  return t.accumulator;
}

}  // namespace gradsmith
