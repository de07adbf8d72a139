// Which gradients cannot be differentiated again (E23): those that hold the output of a backward without a derivative.
#include <algorithm>

#include "harness/expect_state.hpp"

namespace gradsmith {

std::optional<Refusal> Model::second_backward_refusal() const {
  const auto& nodes = state_->nodes;
  std::vector<int> open;
  for (std::size_t i = 0; i < nodes.size(); ++i)
    if (nodes[i].ran && nodes[i].op && !nodes[i].op->second_refusal.empty()) open.push_back(static_cast<int>(i));
  std::vector<char> seen(nodes.size());
  while (!open.empty()) {
    const State::Node& node = nodes[open.back()];
    open.pop_back();
    if (node.kind == State::Node::Kind::accumulate)
      return Refusal{{Phase::Kind::backward, state_->backwards + 1}, "E23", {}};
    const bool cuts = node.kind == State::Node::Kind::op && node.cuts;
    for (std::size_t k = cuts ? 1 : 0; k < node.edges.size(); ++k)
      if (const int next = node.edges[k]; next != State::no_node && !seen[next]) {
        seen[next] = 1;
        open.push_back(next);
      }
  }
  return std::nullopt;
}

}  // namespace gradsmith
