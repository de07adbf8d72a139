// One declaration per op: schema, shape rule, scalar maths, LibTorch calls, domain, and what its node saves for backward.
// Adding an op is one entry in one file under ops/. A field exists only if an audit fails when it is wrong
// (properties/tool_ops.cpp). Knows LibTorch by forward declaration only.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "harness/array.hpp"
#include "harness/chain.hpp"
#include "harness/release.hpp"
#include "harness/tape.hpp"

namespace at {
class Tensor;
}

namespace gradsmith {

class Actuals;  // actuals.hpp: the tensors and attributes of one call, for LibTorch

/// What a parameter takes. `tensor_or_number`: a tensor overload and a Scalar overload exist (`other` of add).
enum class Kind : std::uint8_t { tensor, tensor_or_number, tensors, number, integer, integers, boolean, text, dtype };

/// One parameter of an op's schema, in schema order, with PyTorch's name.
struct Param {
  std::string_view name{};
  Kind kind = Kind::tensor;
  bool optional = false;              ///< may be left out; then `preset` stands
  Argument preset{};                  ///< the default; `None` where PyTorch's is None
  std::vector<Argument> choices{};    ///< what the generator draws attributes from (legal values, at least one not the default)
  bool differentiable = true;         ///< tensors only: false for masks, conditions and indices
};

/// The arguments of one step, read by parameter position.
class Args {
 public:
  explicit Args(const std::vector<Argument>& args) : args_(&args) {}
  bool is_none(std::size_t i) const { return std::holds_alternative<None>((*args_)[i]); }
  bool is_tensor(std::size_t i) const { return std::holds_alternative<Ref>((*args_)[i]); }
  bool is_number(std::size_t i) const { return std::holds_alternative<double>((*args_)[i]); }
  Value tensor(std::size_t i) const { return std::get<Ref>((*args_)[i]).value; }
  double operator[](std::size_t i) const { return std::get<double>((*args_)[i]); }
  std::int64_t integer(std::size_t i) const { return static_cast<std::int64_t>((*this)[i]); }
  bool flag(std::size_t i) const { return std::get<bool>((*args_)[i]); }
  DType dtype(std::size_t i) const { return std::get<DType>((*args_)[i]); }
  const std::string& text(std::size_t i) const { return std::get<std::string>((*args_)[i]); }
  const std::vector<double>& list(std::size_t i) const { return std::get<std::vector<double>>((*args_)[i]); }
  std::size_t size() const { return args_->size(); }

 private:
  const std::vector<Argument>* args_;
};

/// Type and place of one tensor, known without running anything. `storage` is equal for tensors that share memory.
struct TensorInfo {
  DType dtype = DType::f64;
  Layout layout{};
  int storage = -1;
  bool inference = false;  ///< made in inference mode, or shares the memory of what was
};

/// They show the same memory in the same way; `copy_` of one onto the other returns early.
inline bool same_place(const TensorInfo& a, const TensorInfo& b) { return a.storage == b.storage && a.layout == b.layout; }

/// What a shape rule sees: the attributes, and the info of each tensor argument by parameter position (null elsewhere).
struct Call {
  const Op* op;
  bool inplace;
  Args args;
  std::vector<const TensorInfo*> tensors;
  const Layout& layout(std::size_t i) const { return tensors[i]->layout; }
  const Shape& shape(std::size_t i) const { return tensors[i]->layout.shape; }
  std::int64_t rank(std::size_t i) const { return static_cast<std::int64_t>(shape(i).size()); }
};

/// One result of a shape rule.
struct ResultInfo {
  Layout layout{};               ///< of a view: inside the storage of operand 0; else of fresh memory
  bool view = false;             ///< shares operand 0's storage
  bool same_object = false;      ///< LibTorch returns operand 0 itself (flatten of 1-D): the names are aliases
};

/// What a shape rule answers: results, or an id of autograd.md that LibTorch must raise (an outcome: E18, E19, E24 ...),
/// or a message when the step is no program at all (bad input).
struct Shaped {
  std::vector<ResultInfo> results{};
  std::string_view refusal{};    ///< e.g. "E19"; empty if none
  std::string invalid{};         ///< e.g. "dim 3 is out of range for 2 dimensions"; empty if none
};
using ShapeRule = Shaped (*)(const Call&);

/// What an op's maths sees and fills. `in[i]` holds operand i's elements, row-major in its own shape (elementwise ops get
/// them through `elementwise` below, broadcast). `out[k]` must get result k's elements, row-major.
struct MathsCall {
  const Call& call;
  std::vector<std::vector<Var>>& in;
  const std::vector<ResultInfo>& results;
  std::vector<std::vector<Var>>& out;
  const Args& args() const { return call.args; }
};
using Maths = std::function<void(MathsCall&)>;

/// Interval of an operand on which value and gradient are finite and tame; `apart` keeps |x| at least that large.
struct Interval {
  double lo = -1e6, hi = 1e6;
  double apart = 0;
};

inline constexpr int result = -1;  ///< in `Save::reads`: the result
inline constexpr int internal = -2;  ///< in `Save::reads`: a tensor of the op's own that no name reaches
inline constexpr int any = -1;     ///< in `Save::of`: whichever operand requires grad

/// "For the gradient of operand `of`, the node keeps tensor `reads`", by parameter position; `result` for the result.
/// In the in-place form a saved operand 0 is a private clone, unless `reads_inplace` says `result` (ops with an in-place
/// formula of their own). Rows for numbers do not count. Backward
/// unpacks them by their names, the result last. Source: derivatives.yaml as tabled in autograd.md, section 6.
struct Save {
  int of = any;
  int reads = 0;
  int reads_inplace = 0;                     ///< what stands for `reads` in the in-place form, where that is operand 0
  /// The row holds only for these arguments and operands (an overload); null: always.
  bool (*when)(const Args&, const std::vector<TensorInfo>& operands) = nullptr;
  std::string_view name{};  ///< under which `reads` is kept; empty: the parameter's
};

/// Maths of later releases of LibTorch, where these define a derivative otherwise.
struct Revision {
  Release since{};
  Maths maths{};
};

/// Bytes of tensor storage that a call on float64 takes besides its results and the clone that `saves` implies for an
/// in-place form.
struct Extra {
  std::int64_t kept = 0;  ///< until backward, by the node alone
  std::int64_t most = 0;  ///< at the moment when the call holds most, with what it keeps
};

/// What an op does with floating operands of different types (promotion.hpp).
enum class Mixing : std::uint8_t {
  promotes,       ///< computes in at::result_type of all, which is the result's type; a target keeps its own
  into_self,      ///< casts the others to the type of operand 0
  named,          ///< casts operand 0 to the type that parameter 1 names
  refused,        ///< takes tensors of one type only (E41)
  refused_first,  ///< the same, found before autograd looks at the operands
};

/// How results relate to operand 0.
enum class Alias : std::uint8_t {
  none,         ///< fresh memory
  view,         ///< a differentiable view (or, where the shape rule says so, a copy)
  multi_view,   ///< several views from one node: writing one is refused (E8)
  detach,       ///< shares memory and version counter, cut from the graph, not a view
};

/// An op. Every field has a default so that an entry names only what it has.
struct Op {
  std::string_view name{};
  std::vector<Param> params{};
  ShapeRule shape = nullptr;                                   ///< null: elementwise, broadcast over all tensor operands
  ShapeRule shape_on_device = nullptr;                         ///< where a device's kernel may lay results out otherwise; null: as on the CPU
  Maths maths{};                                               ///< values; derivatives come from the tape. Views have none
  Maths maths_inplace{};                                       ///< where LibTorch derives the in-place form from the result (elu_); else empty
  std::vector<Revision> revisions{};                           ///< oldest first; the table takes the last that the linked release has
  at::Tensor (*pure)(const Actuals&) = nullptr;                ///< out of place, one result
  std::vector<at::Tensor> (*pure_many)(const Actuals&) = nullptr;  ///< out of place, several results
  void (*inplace)(const Actuals&) = nullptr;                   ///< writes operand 0
  at::Tensor (*functional)(const Actuals&) = nullptr;          ///< new value of operand 0, for ops LibTorch has in place only (copy_)
  at::Tensor (*batched)(const Actuals&) = nullptr;             ///< `pure` with one more trailing dimension; null: `pure` serves
  std::vector<Interval> domain{};                              ///< per parameter, tensors; missing: all reals
  std::vector<Save> saves{};                                   ///< sorted by the names of what is read (ops::entries)
  Alias alias = Alias::none;
  bool (*through_view)(const std::vector<TensorInfo>& operands, int operand) = nullptr;  ///< composites: the operand is read, before others, through a view made first
  bool overlap_unchecked = false;                              ///< in-place kernel accepts a self-overlapping target (autograd.md 7.4)
  bool memory_first = false;                                   ///< in place, looks at memory (E13, E14) before attributes (E24)
  std::string_view (*backward_refusal)(const Args&, bool inplace) = nullptr;  ///< E21, E22, E23; "" if none
  Extra (*memory)(const Call&, bool recorded) = nullptr;       ///< by call, and whether it gets a node; null: no bytes
  std::string_view (*forward_refusal)(const Args&, bool inplace) = nullptr;  ///< E23b: no formula of forward mode; "" if there is one
  std::string_view second_refusal{};                           ///< E23: its gradient cannot be differentiated again; "" if it can
  std::string_view composite{};                                ///< "" or why this is not one node, e.g. "selu_ = elu_"
  Mixing mixing = Mixing::promotes;
  bool passes_gradient = false;  ///< the gradient is what arrives, where comparisons say so: operands give it no type
  bool scalar_in_float = false;  ///< kernels of 16-bit types read a 0-dim operand 1 of another type in float
  bool twin_bitwise = true;                                    ///< both forms differentiate alike, bit for bit
};

/// All ops, in a fixed order: families as listed in ops/ops.cpp, then those of `extra_ops()`.
const std::vector<const Op*>& all_ops();
/// The op of that name (without underscore), or null.
const Op* find_op(std::string_view name);
/// The known op name nearest in spelling, for error messages.
std::string nearest_op(std::string_view name);
/// Ops that a binary links besides the product's table: the product links none, `gradsmith_planted` its planted ones.
const std::vector<const Op*>& extra_ops();

/// Position of a parameter by name, or -1.
int param_index(const Op& op, std::string_view name);
/// Index of the parameters that may hold tensors come first in every schema; number of them.
bool takes_tensor(Kind kind);

}  // namespace gradsmith
