// The exact reference: runs a chain on the scalar tape over memory cells (numerics.md, section 3). A storage is a list of
// cells, a tensor a list of cell positions; in-place ops overwrite cells, so aliasing is right by construction.
// Knows chains, types and the ops' maths; no LibTorch.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "harness/outcome.hpp"
#include "harness/retype.hpp"
#include "harness/tape.hpp"
#include "harness/typing.hpp"

namespace gradsmith {

/// Values or gradient of one tensor, row-major, with how far rounding moves each element.
struct Spread {
  std::vector<double> value;   ///< lane 0: the exact maths in double
  std::vector<double> spread;  ///< max over replicas of |replica - value|
  double least = 0x1p-1074;    ///< smallest number of the tensor's type that every kernel keeps
  DType dtype = DType::f64;    ///< of the tensor
};

/// Lane 0 of each element of a tensor of that type, and how far its replicas are from it: NaN where one left the
/// numbers.
Spread spread_of(const std::vector<Lanes>& lanes, DType dtype = DType::f64);
/// Widens the spreads of `into` by those of `more`, of the same tensors by other noise. NaN widens, and stays.
void widen(Spread& into, const Spread& more);
void widen(std::vector<std::optional<Spread>>& into, const std::vector<std::optional<Spread>>& more);

/// What the reference says of a chain that nothing refuses.
struct Reference {
  std::string open{};                                ///< why nothing can be judged by it; empty: it can
  std::vector<std::optional<Spread>> values{};       ///< by Value, at the end; gradients named by `wrt` included
  std::vector<std::optional<Spread>> gradients{};    ///< by Value: leaves that require grad (0 where nothing arrives)
  std::vector<std::vector<int>> leaf_nodes{};        ///< by Value: tape nodes of those leaves, per position
  bool nan = false;                                  ///< some op gave NaN: gradients through it depend on the kernel's loop
  bool subnormal = false;                            ///< an input holds subnormal numbers: products underflow
  double rounding = 0;                               ///< A of numerics.md 2.3: sum |adjoint * value| over all nodes
};

/// A view taken in no_grad or inference mode: LibTorch cuts the gradient at it (by design); `tracked` lets it through,
/// which is what the hole U17 is measured against. `forward_mode`: as forward-mode AD has it, which lets it through too
/// and for which no_grad regions are not there; only inference mode keeps histories away.
enum class NoGradViews : std::uint8_t { cut, tracked, forward_mode };

/// A number per position of every leaf, by Value: a direction, or the tangents of a mode.
using Tangents = std::vector<std::vector<double>>;

/// Step-by-step evaluation; the generator reads values as it builds. Uses the thread's tape: one at a time per thread.
/// Values and nodes are kept apart: storages hold values; a *family* (a root tensor with its differentiable views) holds
/// the nodes, since `detach` shares memory but not history.
class Evaluator {
 public:
  /// Starts on an empty tape. `noise` chooses the replicas; `dtype` is the chain's (floating_type).
  /// On Duals, `along` has the tangents of the leaves.
  explicit Evaluator(std::uint64_t noise = 0, DType dtype = DType::f64, NoGradViews views = NoGradViews::cut,
                     const Tangents* along = nullptr);
  /// Takes the next statement; `typed` has typed it already. `backward` statements are no-ops here (see backward()).
  void add(const Statement& statement, const Typed& typed);
  /// Gives a name constant elements.
  void bind(Value value, std::vector<Lanes> elements);
  /// Gives the results of a `backward(wrt=...)` their elements, constants, from the adjoints of its sweep.
  void bind_gradients(const Backward& statement, const std::vector<Lanes>& adjoint);
  /// Current elements of a tensor, row-major, with the nodes of its history (in a region too).
  std::vector<Var> read(Value value) const;
  /// The same without their nodes.
  std::vector<Lanes> lanes(Value value) const;
  /// Leaf nodes of an input that requires grad, per position; empty for other tensors.
  const std::vector<int>& leaf(Value value) const;
  /// Gradient of sum <cotangent, root> with respect to every node on the tape.
  std::vector<Lanes> sweep(const std::vector<Value>& roots, const std::vector<std::vector<double>>& cotangents) const;
  /// The tensor is a differentiable view of another.
  bool is_view(Value value) const;
  /// Some element may depend on a leaf (whatever flows: LibTorch too asks only whether there is a tangent).
  bool tracks(Value value) const { return tracks_[tensors_[value].family] != 0; }
  /// One history for both: they are views of one tensor, or names of it.
  bool share_history(Value a, Value b) const { return tensors_[a].family == tensors_[b].family; }
  /// Some op gave NaN.
  bool nan() const { return nan_; }
  /// A sweep met 0 times infinity.
  bool infinite() const { return infinite_; }
  /// Nodes whose cell got other data without other history (a write in a region), with that data.
  const std::vector<std::pair<int, double>>& rewritten() const { return rewritten_; }
  /// Some input element is subnormal.
  bool subnormal() const { return subnormal_; }
  /// Why what was evaluated cannot be trusted; empty if it can.
  const std::string& open() const { return open_; }
  /// True while no replica has left lane 0's branches.
  bool stable() const { return !Tape::active().unstable(); }

 private:
  struct Tensor {
    int storage = -1, family = -1;
    DType dtype = DType::f64;
    std::vector<std::int32_t> cells{};
    std::vector<int> leaf{};
    bool view = false;
    bool per_position = false;  // a leaf whose positions share memory cells: kept apart here
  };
  void step(const Step& step, const TypedStep& typed);
  void view(const Step& step, const TypedStep& typed);
  void operand(Value value, std::vector<Var>& out) const;
  void cast_operands(const Step& step, const TypedStep& typed);
  Tensor& define(Value value);
  int new_storage(std::vector<Lanes> cells);
  int new_family(int storage);

  std::vector<std::vector<Lanes>> storages_{};
  std::vector<std::vector<int>> families_{};
  std::vector<char> tracks_{};  // by family: some element may carry a gradient
  std::vector<Tensor> tensors_{};
  int regions_ = 0;                  // open regions that keep histories away
  std::vector<char> open_regions_{};  // all open regions: whether they do
  std::size_t statements_ = 0;
  std::vector<std::vector<Var>> in_{}, out_{};  // scratch
  std::vector<int> family_storage_{};
  std::vector<std::pair<int, double>> rewritten_{};
  std::string open_{};
  mutable bool infinite_ = false;
  bool subnormal_ = false, nan_ = false;
  NoGradViews no_grad_views_;
  const Tangents* along_;
};

/// Cotangents a `backward` statement seeds, one list per root: ones without a spec, else the generated ones.
std::vector<std::vector<double>> seeds(const std::optional<Spec>& cotangent, const std::vector<Value>& roots,
                                       const Typed& typed);

/// Called after every `backward` (the implied one too) with the evaluator and the adjoints of its sweep.
using OnSweep = std::function<void(const Evaluator&, const Backward&, const std::vector<Lanes>&)>;

/// Runs a whole chain that nothing refuses. `implied_roots` as the model gives them. The thread's tape holds the run until
/// the next one starts.
Reference run_reference(const Chain& chain, const Typed& typed, const std::vector<Value>& implied_roots,
                        std::uint64_t noise = 0, NoGradViews views = NoGradViews::cut, const OnSweep& on_sweep = {},
                        const Tangents* along = nullptr);
/// Widens `reference`'s spreads by those of `more` (another noise).
void widen(Reference& reference, const Reference& more);

}  // namespace gradsmith
