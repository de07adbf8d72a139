#include "harness/expect_view.hpp"

#include "harness/expect_state.hpp"

namespace gradsmith {

TensorView Model::tensor(Value value) const {
  const State::Tensor& t = state_->at(value);
  TensorView out;
  out.object = state_->object[value];
  out.base = t.base;
  switch (t.tag) {
    case State::Tag::normal:
      out.tag = ViewTag::normal;
      break;
    case State::Tag::multi_output:
      out.tag = ViewTag::multi_output;
      break;
    case State::Tag::no_grad:
      out.tag = ViewTag::no_grad;
      break;
    case State::Tag::inference:
      out.tag = ViewTag::inference;
      break;
  }
  out.counter = t.counter;
  out.version = state_->version(t);
  out.requires_grad = state_->requires_grad(t);
  out.leaf = out.requires_grad && t.grad_fn == State::no_node;
  out.inference = t.inference;
  out.stale = t.base != dropped && t.attr_version != state_->version(t);
  return out;
}

std::vector<NodeView> Model::nodes() const {
  std::vector<NodeView> out;
  for (const State::Node& node : state_->nodes) {
    const bool op = node.kind != State::Node::Kind::accumulate && node.kind != State::Node::Kind::output;
    NodeView view{op ? node.op : nullptr, node.kind == State::Node::Kind::copy_slices, node.freed, {}};
    for (int i = 0; i < node.saved_count; ++i)
      view.kept.push_back({node.saved[i].input, node.saved[i].counter, node.saved[i].version});
    out.push_back(std::move(view));
  }
  return out;
}

Blame Model::blame() const { return {state_->running, state_->unpacking}; }

}  // namespace gradsmith
