// The expectation model: walks a chain on versions, saved tensors, views and graph nodes of its own (autograd.md) and says
// whether LibTorch must raise, which error and when; or that it stays silent about a wrong gradient. Independent of
// LibTorch: knows chains, types and the ops' `saves`.
#pragma once

#include <memory>

#include "harness/expect_view.hpp"
#include "harness/outcome.hpp"
#include "harness/typing.hpp"

namespace gradsmith {

/// How a write met a saved tensor: what coverage of relations is made of.
struct WriteRelation {
  enum class Where : std::uint8_t { same, overlapping, disjoint, other_storage };
  enum class When : std::uint8_t { before_backward, after_retained, after_backward };  ///< of the node that saved it
  const Op* saver;
  const Op* writer;
  Where where;
  When when;
  bool saver_inplace;
  bool result;  ///< the node saved its result, not an operand
  bool bumped;  ///< the write moved the version that the node has noted
};

/// What a step leaves behind for backward that no name of the chain holds.
struct Retained {
  bool recorded = false;  ///< the step has a node in the graph
  bool clone = false;     ///< a copy of the target as it was before the step
};

/// Statement after statement; the generator asks it before it commits to a step. Copyable: a copy is a what-if.
class Model {
 public:
  /// `relations`: also note every meeting of a write with a saved tensor (for statistics).
  explicit Model(bool relations = false);
  Model(const Model&);
  Model& operator=(const Model&);
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;
  ~Model();

  /// Takes the next statement; `typed` has typed it already (typed.steps[k] for the k-th statement added). After a
  /// refusal nothing more may be added.
  void add(const Statement& statement, const Typed& typed);
  /// Takes the implied `backward` if the chain has none of its own. Then the expectation is complete.
  void finish(const Chain& chain, const Typed& typed);

  const Expectation& expectation() const;
  /// The tensor requires grad now (as Tensor::requires_grad() says).
  bool requires_grad(Value value) const;
  /// The tensor is a leaf that requires grad.
  bool is_leaf(Value value) const;
  /// Some node alive keeps a tensor that shares this one's version counter.
  bool is_saved(Value value) const;
  /// Some node alive keeps it, or memory of its counter, as of before a write.
  bool is_overwritten(Value value) const;
  /// What a backward over these roots would raise now, without doing it.
  std::optional<Refusal> backward_would_refuse(const std::vector<Value>& roots) const;
  /// What differentiating the gradients of all leaves again would raise, after a `backward` that nothing refused.
  std::optional<Refusal> second_backward_refusal() const;
  /// Roots of the implied backward as of now: every named floating non-leaf that requires grad, in order of definition.
  std::vector<Value> implied_roots() const;
  /// What a defined tensor is now.
  TensorView tensor(Value value) const;
  /// All nodes so far, in order of creation; what had to be looked at makes nodes too.
  std::vector<NodeView> nodes() const;
  /// What a refused backward was doing.
  Blame blame() const;
  /// All meetings of a write with a saved tensor so far; empty unless asked for.
  const std::vector<WriteRelation>& relations() const;
  /// By statement added.
  const std::vector<Retained>& kept() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Expectation of a whole typed chain. `implied_roots`, if given, gets the roots of the implied backward (none if the chain
/// has a `backward` of its own, if nothing is differentiable, or if a step is refused); `kept` what each statement keeps.
Expectation expect(const Chain& chain, const Typed& typed, std::vector<Value>* implied_roots = nullptr,
                   std::vector<Retained>* kept = nullptr);

}  // namespace gradsmith
