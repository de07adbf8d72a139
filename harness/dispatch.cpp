#include "harness/dispatch.hpp"

#include <ATen/ATen.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/function.h>

#include <bit>
#include <typeindex>
#include <unordered_map>
#include <unordered_set>

#include "harness/meter.hpp"

namespace gradsmith {
namespace {

/// Where this thread's callbacks write; null: nobody watches.
struct Watched {
  Reached* reached = nullptr;
  std::string last{};  // a copy: the name of a backward node goes with its call
};
thread_local Watched watched;

std::unique_ptr<at::ObserverContext> on_dispatch(const at::RecordFunction& function) {
  if (!watched.reached) return nullptr;
  const std::string_view name = function.name();
  watched.reached->note(Domain::kernels, {name});
  watched.reached->note(Domain::kernels, {watched.last, " then ", name});
  watched.last = name;
  return nullptr;
}

/// Registered once for the process and switched off, so that only watched runs pay for it.
void register_once() {
  static const auto handle = at::addGlobalCallback(
      at::RecordFunctionCallback(on_dispatch).scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION}));
  static thread_local const bool off = (at::enableRecordFunction(false), true);
  (void)handle;
  (void)off;
}

/// "6" for 32 to 63: the number of binary digits.
std::string size_class(std::int64_t number) {
  return std::to_string(std::bit_width(static_cast<std::uint64_t>(number)));
}

/// "MulBackward0", "CopySlices": nodes that have no name of their own are called by their type. Asked of each type once:
/// LibTorch makes such a name anew at every call.
const std::string& node_name(const torch::autograd::Node& node) {
  constexpr std::string_view home = "torch::autograd::";
  static thread_local std::unordered_map<std::type_index, std::string> names;
  const auto [at, fresh] = names.try_emplace(typeid(node));
  if (fresh) {
    at->second = node.name();
    if (at->second.starts_with(home)) at->second.erase(0, home.size());
  }
  return at->second;
}

/// The graph below a node, each node once; the depth is that of a walk along first visits.
class GraphWalk {
 public:
  explicit GraphWalk(Reached& to) : to_(to) {}
  void visit(torch::autograd::Node* root) {
    std::vector<std::pair<torch::autograd::Node*, int>> open{{root, 1}};
    if (!seen_.insert(root).second) return;
    while (!open.empty()) {
      const auto [node, depth] = open.back();
      open.pop_back();
      deepest_ = std::max(deepest_, depth);
      const std::string& name = node_name(*node);
      for (const auto& edge : node->next_edges()) {
        torch::autograd::Node* next = edge.function.get();
        if (!next) {
          to_.note(Domain::graph, {name, " to nothing"});
          continue;
        }
        if (seen_.insert(next).second) open.emplace_back(next, depth + 1);
        to_.note(Domain::graph, {name, " to ", node_name(*next)});
      }
    }
  }
  int deepest() const { return deepest_; }

 private:
  Reached& to_;
  std::unordered_set<torch::autograd::Node*> seen_{};  // never iterated: addresses decide nothing
  int deepest_ = 0;
};

}  // namespace

struct Watch::State {
  explicit State(Reached& reached) : before(read_memory()), callbacks(true) { watched = {&reached}; }
  MemoryReading before;
  at::RecordFunctionGuard callbacks;
};

Watch::Watch(Reached* reached) {
  constexpr unsigned one_in = 8;
  if (!reached || !reached->chosen(one_in)) return;
  register_once();
  state_ = std::make_unique<State>(*reached);
}

Watch::~Watch() {
  if (!state_) return;
  const MemoryReading before = state_->before, after = read_memory();
  watched.reached->note(Domain::resources, {"bytes allocated, binary digits: ", size_class(after.bytes - before.bytes)});
  watched.reached->note(Domain::resources,
                        {"allocations, binary digits: ", size_class(after.allocations - before.allocations)});
  watched = {};
}

void cover_graph(const std::vector<at::Tensor>& tensors, Reached& reached) {
  GraphWalk walk(reached);
  for (const at::Tensor& tensor : tensors) {
    if (!tensor.defined() || !tensor.requires_grad()) continue;
    try {
      if (const auto& node = tensor.grad_fn()) walk.visit(node.get());
    } catch (const c10::Error&) {  // a view that must not be made anew
      reached.note(Domain::graph, {"a grad_fn that cannot be read"});
    }
  }
  reached.note(Domain::graph, {"nodes in a row, binary digits: ", size_class(walk.deepest())});
}

}  // namespace gradsmith
