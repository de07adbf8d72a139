// A chain in the making, with everything known about it so far: types, the expectation, and the values reached. What the
// generator grows and cuts back. Knows no probabilities and no LibTorch.
#pragma once

#include <string>
#include <vector>

#include "harness/expect.hpp"
#include "harness/reference.hpp"
#include "harness/typing.hpp"

namespace gradsmith {

/// What became of a statement: no program (the draft is as before), fine so far, or the refusal that ends the chain.
enum class Fate : std::uint8_t { invalid, fine, refused };

/// Extent of the elements of one tensor. An empty tensor has lo > hi.
struct Extent {
  double lo = 0, hi = 0;
  double nearest = 0;   ///< smallest magnitude
  bool finite = true;
};

/// Where a tensor comes from, as far as writing it may be refused for it; views inherit it.
struct DraftOrigin {
  bool view = false;             ///< a view of another tensor
  bool multi = false;            ///< from a node with several views, or a view of such
  bool quiet = false;            ///< a view taken in a region
  bool inference = false;        ///< memory made in an inference region
  bool gradient = false;         ///< named by a backward; the draft does not know its values
};

class Draft {
 public:
  /// A place to cut back to.
  struct Mark {
    std::size_t statements, names;
  };

  /// An empty draft of a chain whose floating tensors are of this type.
  explicit Draft(DType dtype) : dtype_(dtype), evaluator_(0, dtype) {}

  const Chain& chain() const { return chain_; }
  const Model& model() const { return model_; }
  const Typed& typed() const { return typer_.typed(); }
  const TensorInfo& info(Value value) const { return typer_.typed().values[value]; }
  const Shape& shape(Value value) const { return info(value).layout.shape; }
  const DraftOrigin& origin(Value value) const { return origins_[value]; }
  Value values() const { return static_cast<Value>(chain_.names.size()); }
  /// Same tensor object (one name is an alias of the other).
  Value object(Value value) const { return typer_.typed().object[value]; }
  /// Grad mode is on: no region is open.
  bool grad_mode() const { return regions_.empty(); }
  bool inference_mode() const;
  /// The first name of the tensor's storage: of a view, its base.
  Value base(Value value) const;
  /// Extent of the tensor's current elements, by the reference.
  const Extent& extent(Value value);

  /// New names for inputs (a, b, ...) and results (v1, v2, ...); they belong to the statement put next.
  Value name_input();
  Value name_result();
  /// Appends a statement. After `refused` nothing more may be put before the draft is cut back.
  Fate put(Statement statement);
  /// A refusal has ended the chain.
  bool ended() const { return model_.expectation().refusal.has_value(); }
  /// The chain with all regions closed.
  Chain close();
  Mark mark() const { return {chain_.statements.size(), chain_.names.size()}; }
  /// Cuts back to an earlier state.
  void cut(const Mark& mark);
  /// What the implied backward would raise now, over the roots that did not raise before `bury()`.
  bool poisoned() const;
  /// Roots of the implied backward that would not raise.
  std::vector<Value> roots() const;
  /// Roots that would raise from here on do not count any more: a `backward` freed what they need.
  void bury();
  /// Another name stands for memory of this one.
  bool shared(Value value) const;

 private:
  void note(const Statement& statement);
  void replay(std::size_t count);

  DType dtype_;
  Chain chain_;
  Typer typer_;
  Model model_;
  Evaluator evaluator_;
  std::size_t evaluated_ = 0;           // statements the evaluator has seen
  std::vector<DraftOrigin> origins_;         // by Value
  std::vector<Extent> extents_;         // by Value
  std::vector<int> extent_writes_;      // writes to the storage when the extent was taken; -1: not taken
  std::vector<int> writes_;             // by storage
  std::vector<RegionBegin::Kind> regions_;
  std::vector<Value> buried_;
};

}  // namespace gradsmith
