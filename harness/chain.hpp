// The chain: inputs, steps, regions and `backward` statements. A value type; its text form is in parse.hpp and print.hpp.
// Knows the op table only as an opaque pointer, nothing of LibTorch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "harness/array.hpp"

namespace gradsmith {

struct Op;

/// Index of a named tensor in `Chain::names`.
using Value = int;
/// A result that is dropped, written `_`.
inline constexpr Value dropped = -1;

/// Where the elements of an input or a cotangent come from. `list` holds exactly the elements, row-major.
struct Spec {
  enum class Kind : std::uint8_t { list, normal, uniform, edges };
  Kind kind = Kind::normal;
  std::uint64_t seed = 0;
  double lo = 0, hi = 1;      // uniform only
  std::vector<double> list{};  // list only
  bool operator==(const Spec&) const = default;
};

/// A reference to a named tensor, as an argument.
struct Ref {
  Value value;
  bool operator==(const Ref&) const = default;
};

/// `none`.
struct None {
  bool operator==(const None&) const = default;
};

/// One argument of a step: a tensor, a list of tensors or an attribute. Numbers, integers too, are doubles.
using Argument =
    std::variant<None, bool, double, std::string, DType, Ref, std::vector<Ref>, std::vector<double>>;

/// `a = input f64[2, 3] requires_grad strides=[1, 2] offset=0 values=normal(1)`.
struct Input {
  Value name = 0;
  DType dtype = DType::f64;
  Shape shape{};
  bool requires_grad = false;
  std::optional<Shape> strides{};  // absent: contiguous
  std::int64_t offset = 0;
  Spec values{};
  bool operator==(const Input&) const = default;
};

/// One op. `args` stands parallel to `op->params`, defaults filled in. The in-place form writes args[0] and has no results.
struct Step {
  const Op* op = nullptr;
  bool inplace = false;
  std::vector<Argument> args{};
  std::vector<Value> results{};
  bool operator==(const Step&) const = default;
};

/// `backward(roots..., wrt=[..], cotangent=SPEC, retain_graph, create_graph, may_fail)`. `results` only with `wrt`.
struct Backward {
  std::vector<Value> roots{};
  std::optional<std::vector<Value>> wrt{};
  std::optional<Spec> cotangent{};
  bool retain_graph = false, create_graph = false, may_fail = false;
  std::vector<Value> results{};
  bool operator==(const Backward&) const = default;
};

/// Opens `no_grad {` or `inference {`.
struct RegionBegin {
  enum class Kind : std::uint8_t { no_grad, inference };
  Kind kind = Kind::no_grad;
  bool operator==(const RegionBegin&) const = default;
};
/// Closes the innermost region.
struct RegionEnd {
  bool operator==(const RegionEnd&) const = default;
};

using Statement = std::variant<Input, Step, Backward, RegionBegin, RegionEnd>;

/// A comment after the header, without "# ": a line before statement `at` (the number of statements: at the end), or
/// behind that statement on its line.
struct Remark {
  std::size_t at = 0;
  std::string text{};
  bool behind = false;
};

/// A whole chain. Immutable by convention once built; names are unique. `comments` are the header's lines without "# ".
/// `remarks` are the later ones, in order; who moves statements about clears them.
struct Chain {
  std::vector<std::string> names{};
  std::vector<Statement> statements{};
  std::vector<std::string> comments{};
  std::vector<Remark> remarks{};
};

/// Same statements and the same names where they are used; comments and remarks do not count. Numbers are compared as
/// they are written: NaN equals NaN, 0 differs from -0.
bool operator==(const Chain& a, const Chain& b);
/// Equality of arguments by that rule. Tensors are compared by `Value`: both belong to one chain.
bool same_argument(const Argument& a, const Argument& b);
/// The same for the source of values.
bool same_spec(const Spec& a, const Spec& b);

/// The value of a header comment with a key ("expect", "known", "link", "since"), or nothing.
std::optional<std::string> header(const Chain& chain, std::string_view key);

/// The `backward` that stands at the end of a chain without one: every named floating non-leaf that is differentiable
/// is found by the model (typing.hpp); this only says whether the chain has a statement of its own.
bool has_backward(const Chain& chain);

/// Number of steps (ops), regions' steps included.
int step_count(const Chain& chain);

/// Calls `visit(Value&)` for every tensor reference of a step's arguments, in order.
template <class StepLike, class Visit>
void for_each_ref(StepLike& step, Visit visit) {
  for (auto& arg : step.args) {
    if (auto* one = std::get_if<Ref>(&arg)) visit(one->value);
    if (auto* many = std::get_if<std::vector<Ref>>(&arg))
      for (auto& ref : *many) visit(ref.value);
  }
}

/// Limits, checked before anything is allocated.
struct Limits {
  static constexpr std::size_t bytes = 1u << 20;
  static constexpr std::size_t statements = 4096;
  static constexpr std::int64_t elements = std::int64_t{1} << 20;
  static constexpr std::size_t dimensions = 16;
  static constexpr std::size_t regions = 64;  ///< open at one place
};

}  // namespace gradsmith
