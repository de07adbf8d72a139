// Types a chain without running it: dtype, shape, strides, storage of every tensor at every step, and the first step whose
// kernel LibTorch must refuse for its shapes or overlaps. What the reference, the expectation model, the generator and
// the reducer share. Knows chains and ops, no LibTorch.
#pragma once

#include <optional>
#include <string>

#include "harness/op.hpp"

namespace gradsmith {

/// One step with everything known before it runs. Parallel to the chain's statements (empty for non-steps).
struct TypedStep {
  std::vector<TensorInfo> operands{};    ///< by parameter position; default where no tensor stands
  std::vector<ResultInfo> results{};     ///< out of place: one per result. In place: none
  std::string_view kernel_refusal{};  ///< E13, E14, E18, E19, E20, E24, E41 or empty: what the kernel itself must raise
  DType computes = DType::f64;           ///< the type in which the kernel computes
  DType stores = DType::f64;             ///< the type of the results, or of the target
  bool scalar_in_float = false;  ///< operand 1, without dimensions, is read in float where the kernel is of 16-bit types
};

/// The results of a step that share memory with its operand share no history with it: those of `detach`, and views of an
/// inference tensor, which autograd does not see.
inline bool cuts_history(const Step& step, const TypedStep& typed) {
  return step.op->alias == Alias::detach || typed.operands[0].inference;
}

/// A chain with its types. Statements after a step that must be refused by its kernel are typed as far as possible: names
/// that such a step would define are unknown (`known` false) and steps that use them are left empty.
struct Typed {
  std::vector<TypedStep> steps{};
  std::vector<TensorInfo> values{};      ///< by Value, as defined
  std::vector<Value> object{};           ///< by Value: the first name of the same tensor object (itself normally)
  std::vector<bool> known{};
};

/// Why a chain is no program: the statement it fails at and a message that says what was expected.
struct Invalid {
  std::size_t statement;
  std::string message;
};

/// Whose kernels lay out the results, and read operands of another type.
enum class Layouts : std::uint8_t { cpu, device };

/// Types statement after statement; the generator uses it directly to build on a growing chain.
class Typer {
 public:
  explicit Typer(Layouts layouts = Layouts::cpu) : layouts_(layouts) {}
  /// Types the next statement. Returns a message if it is invalid (state unchanged), nothing if it is fine.
  std::optional<std::string> add(const Chain& chain, const Statement& statement);
  const Typed& typed() const& { return typed_; }
  Typed typed() && { return std::move(typed_); }
  /// The id of the kernel refusal that ended the typing, or empty.
  std::string_view refused() const { return refused_; }

 private:
  Layouts layouts_;
  Typed typed_{};
  std::string_view refused_{};
  int next_storage_ = 0;
  std::vector<char> regions_{};  // the open ones: of inference mode or not
};

/// Types a whole chain, or says where it is invalid.
std::variant<Typed, Invalid> type_chain(const Chain& chain, Layouts layouts = Layouts::cpu);

}  // namespace gradsmith
