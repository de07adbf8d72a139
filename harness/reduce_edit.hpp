// What the reducer's passes share: edits of chains, what makes a candidate valid, how simple a chain is, and the offer
// that every candidate goes through. Knows chains, ops and the typer; nothing of why a chain is interesting.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/chain.hpp"
#include "harness/reduce.hpp"

namespace gradsmith::reducing {

/// Calls `visit(Value&)` for every tensor a statement reads or writes, those of `backward` included; not what it
/// defines.
template <class Visit>
void for_each_use(Statement& statement, Visit visit) {
  if (auto* step = std::get_if<Step>(&statement)) for_each_ref(*step, visit);
  if (auto* backward = std::get_if<Backward>(&statement)) {
    for (Value& root : backward->roots) visit(root);
    if (backward->wrt)
      for (Value& leaf : *backward->wrt) visit(leaf);
  }
}

/// The names a statement defines; `dropped` ones included.
std::vector<Value> definitions(const Statement& statement);
/// How often each value is used, by Value.
std::vector<int> use_counts(const Chain& chain);
/// A new value at the end of `chain.names`; canonical_names gives it its name.
Value new_value(Chain& chain);
/// Replaces all uses of `from` in the statements from `first` on.
void substitute(Chain& chain, std::size_t first, Value from, Value to);
/// Index of the region end that closes the region at `begin`.
std::size_t region_end(const Chain& chain, std::size_t begin);
/// The chain less some statements. Uses of a dropped step's results become uses of its tensor operand number `operand`
/// (the last one if it has fewer); gradients named by a dropped `backward` become what they are gradients of.
Chain without(const Chain& chain, const std::vector<bool>& drop, std::size_t operand = 0);
/// The elements of an input, row-major in its shape.
std::vector<double> element_values(const Input& input);

/// `count` times `value`; the plainest generator where a list would be empty or too long.
Spec constant(std::int64_t count, double value);

/// Every name defined once and before its use, regions closed, operands where the schema has them, lists as long as
/// they must be, and the typer accepts it: what parse accepts.
bool valid(const Chain& chain);
/// Adapts attributes that no longer fit their operands (`dim`, `size`, `split_size` ...), numbers of results and
/// explicit cotangents. False if a statement cannot be mended.
bool mend(Chain& chain);

/// How simple a chain is, most significant first; compared in this order.
struct Measure {
  int steps = 0, statements = 0;
  std::int64_t elements = 0;  ///< of all inputs; a 0-sized dimension counts as 2
  int dimensions = 0;         ///< of all inputs
  int unusual = 0;  ///< in-place steps, strides, offsets, requires_grad, attributes and options not at their default
  int late_inputs = 0;    ///< inputs that stand behind another statement
  int ranks = 0;          ///< of ops: those a reader knows best count least
  std::int64_t cost = 0;  ///< of values and numbers
  std::size_t length = 0;
  std::string text{};
  auto operator<=>(const Measure&) const = default;
};
Measure measure(const Chain& chain);
/// The ops that steps are reduced to, simplest first: plain ones for writes and arithmetic, then views.
std::span<const std::string_view> simple_ops();
/// Position in `simple_ops`. All ops that no chain is reduced to share the last rank.
int op_rank(std::string_view name);
/// 0 for 0, then 1, -1, 2, -2, 3, 0.5, -0.5, then other numbers by the length of their text, then the non-finite ones.
int number_cost(double value);
/// Numbers that cost less than `value` and may stand for it in `dtype`, simplest first: the constants above, the
/// nearest integers, then roundings to one, two and three significant digits.
std::vector<double> simpler_numbers(double value, DType dtype);
/// Lists up to this many elements are written out; longer ones stay generators.
inline constexpr std::int64_t longest_list = 16;

/// Hands candidates on if they are valid and simpler than the chain they come from.
class Offer {
 public:
  using Propose = std::function<bool(Chain&&)>;
  Offer(const Chain& from, const Propose& propose) : from_(measure(from)), propose_(propose) {}
  /// True: taken, the pass must stop.
  bool operator()(const Chain& candidate);
  /// The same after `mend`.
  bool mended(Chain candidate);

 private:
  Measure from_;
  const Propose& propose_;
};

// The passes of each source file, in the order they run.
std::span<const Pass> structure_passes();
std::span<const Pass> step_passes();
std::span<const Pass> shape_passes();
std::span<const Pass> value_passes();
std::span<const Pass> order_passes();

/// A pass from its body.
template <void (*Body)(const Chain&, Offer&)>
void pass(const Chain& chain, const Offer::Propose& propose) {
  Offer offer(chain, propose);
  Body(chain, offer);
}

}  // namespace gradsmith::reducing
