// The state of the expectation model: tensors with version counters, and graph nodes, as autograd.md section 2 has them,
// with what its steps (expect_step.cpp) and its engine (expect_engine.cpp) share. Private to expect*.cpp.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "harness/expect.hpp"

namespace gradsmith {

struct Model::State {
  /// Thrown inside the model where LibTorch would raise: the id of autograd.md.
  struct Raised {
    std::string_view id;
  };

  enum class Tag : std::uint8_t { normal, multi_output, no_grad, inference };

  static constexpr int no_node = -1;
  static constexpr int max_edges = 3;  ///< differentiable operands of one node

  struct Saved {
    int counter;            ///< version counter, -1: a private tensor (a clone, an internal one)
    int version;
    Value input = dropped;   ///< the saved input, whose grad_fn is read at unpack; none for results
    Value result = dropped;  ///< or the saved result
  };

  struct Node {
    enum class Kind : std::uint8_t { op, view, output, copy_slices, accumulate };  ///< output: one of several of a node
    Kind kind = Kind::op;
    std::array<int, max_edges> edges{no_node, no_node, no_node};
    std::array<Saved, 4> saved{};
    std::uint8_t saved_count = 0;
    bool ran = false, freed = false;  ///< by a backward
    bool overlapping_base = false;   ///< copy_slices with a self-overlapping base: E13 before anything is unpacked
    bool overlapping_slice = false;  ///< ... into a self-overlapping view: E13 afterwards
    bool cuts = false;               ///< the gradient of operand 0 is zeros, whatever arrives
    std::string_view refusal{};      ///< what the op's own backward raises: E21, E22, E23
    const Op* op = nullptr;
    bool inplace = false;
    Value leaf = dropped;            ///< of accumulate

    void save(const Saved& s) { saved[saved_count++] = s; }
  };

  struct Tensor {
    int counter = -1;       ///< version counter; -1: none (an inference tensor, unless detached in normal mode)
    Value base = dropped;   ///< of a view: the root base
    Tag tag = Tag::normal;
    int attr_version = 0;   ///< of a view: the version its grad_fn was made at
    bool own_flag = false;  ///< requires_grad_() was set
    int grad_fn = no_node;  ///< the raw pointer, possibly stale
    int accumulator = no_node;
    bool inference = false;
    enum class Grad : std::uint8_t { none, normal, inference } grad = Grad::none;  ///< of a leaf: what its .grad is
  };

  std::vector<Tensor> tensors;  ///< by Value, objects only
  std::vector<Value> object;    ///< by Value
  std::vector<Node> nodes;      ///< index = sequence number
  std::vector<int> versions;    ///< by counter
  std::vector<RegionBegin::Kind> regions;
  std::vector<WriteRelation> relations;
  std::vector<Retained> kept;       ///< by statement
  Expectation expectation;
  int steps = 0, backwards = 0;
  std::size_t statements = 0;
  bool note_relations = false;
  int running = no_node, unpacking = -1;  ///< the node that ran last in a backward, and which of the tensors it keeps

  bool inference_mode() const;
  bool grad_mode() const { return regions.empty(); }
  Tensor& at(Value value) { return tensors[object[value]]; }
  const Tensor& at(Value value) const { return tensors[object[value]]; }
  /// Gives a name a tensor: a new one, or that of `same_as`.
  Tensor& define(Value value, Value same_as = dropped);
  int new_counter();
  int version(const Tensor& t) const { return t.counter < 0 ? 0 : versions[t.counter]; }
  bool requires_grad(const Tensor& t) const;
  int add_node(Node node);
  /// From here on the chain is in this hole; out of U24, where nothing is modelled any more, no other leads.
  void enter_hole(std::string_view id) {
    if (expectation.hole != "U24") expectation.hole = id;
  }
  /// The error of a view that must not be rebased; `indirect`: found while reading grad_fn.
  static std::string_view view_error(const Tensor& t, bool indirect);
  /// Tensor::grad_fn(): refreshes a stale view, which can raise.
  int read_grad_fn(Value object_value);
  /// Where gradients of this tensor flow: its grad_fn, or the accumulator of a leaf.
  int gradient_edge(Value object_value);

  /// One op, as sections 3 and 4 have it (expect_step.cpp).
  void add_step(const Step& step, const TypedStep& typed, const Typed& all);
  /// One `backward`, as section 5 has it (expect_engine.cpp). `given`: with cotangents.
  void backward(const Backward& statement, const std::vector<Value>& roots, bool given, const Typed& all);

 private:
  struct Inputs;
  Inputs inputs_of(const Step& step, const TypedStep& typed) const;
  void check_inplace(const Tensor& self) const;
  void connect(Node& node, const Step& step, const TypedStep& typed, Inputs& inputs);
  bool save_operands(Node& node, const Step& step, const TypedStep& typed, const Inputs& inputs) const;
  Saved save_input(Value object_value) const;
  void write(const Step& step, const TypedStep& typed, Node node, bool any_requires_grad, const Typed& all);
  void produce(const Step& step, const TypedStep& typed, const Node* node);
  void note_write(const Op* op, Value target, const Typed& all);
  void unpack(Node& node);
  void accumulate(Value leaf);
  void run(std::vector<int> roots, const std::vector<int>* captures, bool retain);
};

}  // namespace gradsmith
