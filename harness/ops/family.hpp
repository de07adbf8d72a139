// What the files of ops/ share: how maths is written, common shape rules, common parameters, and the list of families.
// Knows no single op and no LibTorch.
#pragma once

#include <array>
#include <cmath>
#include <list>
#include <optional>
#include <span>
#include <utility>

#include "harness/op.hpp"

namespace gradsmith::ops {

/// Elements of the leading operands of an elementwise call, broadcast: operand i read at output element e. A number is the
/// same at every element, a missing operand 0. Refers to the call: it must not outlive it.
class Broadcast {
 public:
  explicit Broadcast(const MathsCall& m);
  Broadcast(const Broadcast&) = delete;
  Broadcast& operator=(const Broadcast&) = delete;
  std::size_t count() const { return count_; }
  const Var& at(std::size_t operand, std::size_t element) const {
    const Operand& o = operands_[operand];
    return o.elements[o.index.empty() ? element * o.step : static_cast<std::size_t>(o.index[element])];
  }

 private:
  struct Operand {
    const Var* elements = nullptr;
    std::size_t step = 0;               // 1: same shape as the result; 0: one element for all
    std::vector<std::int32_t> index{};  // otherwise: the element to read
    Var number{};
  };
  std::array<Operand, 4> operands_;
  std::size_t count_;
};

namespace detail {
template <class F, std::size_t... I>
Maths elementwise(F f, std::index_sequence<I...>) {
  return [f](MathsCall& m) {
    const Broadcast in(m);
    auto& out = m.out[0];
    out.resize(in.count());
    for (std::size_t e = 0; e < in.count(); ++e) out[e] = f(in.at(I, e)..., m.args());
  };
}
}  // namespace detail

/// Maths of an elementwise op from one generic lambda `(auto x, const Args& at)`; `at[i]` is the number at parameter i.
template <class F>
Maths elementwise(F f) { return detail::elementwise(f, std::make_index_sequence<1>{}); }
/// The same for two and three leading operands, tensors or numbers, broadcast against each other.
template <class F>
Maths elementwise2(F f) { return detail::elementwise(f, std::make_index_sequence<2>{}); }
template <class F>
Maths elementwise3(F f) { return detail::elementwise(f, std::make_index_sequence<3>{}); }

// Parameters in schema order, short to write.
Param tensor(std::string_view name = "self");
Param mask(std::string_view name);                                      ///< a tensor that is not differentiable (bool)
Param tensor_or_number(std::string_view name);
Param number(std::string_view name, std::vector<Argument> choices);                    ///< required
Param number(std::string_view name, Argument preset, std::vector<Argument> choices);   ///< optional
Param integer(std::string_view name, std::vector<Argument> choices = {});
Param integer(std::string_view name, Argument preset, std::vector<Argument> choices);
Param integers(std::string_view name, std::vector<Argument> choices = {});
Param integers(std::string_view name, Argument preset, std::vector<Argument> choices);
Param boolean(std::string_view name, bool preset);
Param text(std::string_view name, std::string preset, std::vector<Argument> choices);

/// Layouts of the operands as LibTorch's TensorIterator meets them: one of another type than it computes in has been
/// copied.
class CastLayouts {
 public:
  explicit CastLayouts(const Call& call);
  /// Of operand `i`; lives as long as this and the call.
  const Layout* of(const Call& call, std::size_t i);

 private:
  bool mixed_ = false;
  DType computes_ = DType::f64;
  std::list<Layout> copies_{};
};

/// Shape rule of an elementwise call, also what a null `Op::shape` means: the broadcast of all tensor operands, in the
/// layout that LibTorch's TensorIterator gives it; E19 if the shapes do not fit. For ops that must check their attributes
/// first. (Typing compares an in-place form's result with its target, E18.)
Shaped elementwise_shape(const Call& call);
/// The one result of an op, in fresh memory with this layout.
Shaped one_result(Layout layout);
/// The one result of an op whose output LibTorch allocates contiguous.
Shaped contiguous_result(Shape shape);
/// The one result of an op whose output LibTorch allocates as `empty_like(operand 0)`: any dense strides are kept.
Shaped like_operand(const Call& call);
/// `message`: the step is no program.
Shaped invalid_step(std::string message);
/// LibTorch must refuse, with this id of autograd.md.
Shaped refused_step(std::string_view id);

/// Memory rules: a number in the place of parameter 1 is made a tensor of one element; a copy of operand 0 where it is not
/// contiguous.
Extra number_as_tensor(const Call& call, bool recorded);
Extra contiguous_copy(const Call& call, bool recorded);
/// Bytes of the elements of operand `i`.
std::int64_t bytes_of(const Call& call, std::size_t i);

/// `dim` wrapped into [0, rank); nothing if out of range (rank 0 counts as 1, as in LibTorch).
std::optional<std::int64_t> wrap_dim(std::int64_t dim, std::int64_t rank);
/// Dimensions of a `dim` argument (None or []: all), wrapped and sorted; nothing and a message if out of range or repeated.
std::optional<std::vector<std::int64_t>> wrap_dims(const Argument& dims, std::int64_t rank, std::string& invalid);
/// For a reduction: for each output element (dims removed, row-major), the input elements it reduces, in order.
std::vector<std::vector<std::int32_t>> reduction_groups(const Shape& shape, const std::vector<std::int64_t>& dims);

/// A sum whose terms cancel so far that its value is rounding alone: another order of the terms gives any other, and no
/// replica of one order shows what then follows. Says so to the tape.
void note_cancellation(const Var& sum);
/// The terms of a sum. Where those of one sign leave the range of the computation by themselves and those of the other bring the
/// sum back, or leave it too, their order decides whether it is a number, infinite or NaN: no replica of one order shows that.
class Terms {
 public:
  void add(long double term) {
    if (std::isfinite(term)) (term > 0 ? up_ : down_) += term;
    else infinite_ = true;
  }
  /// Says so to the tape.
  void note_order() const;

 private:
  long double up_ = 0, down_ = 0;
  bool infinite_ = false;
};
/// The entries of a family's table, in order, as they are in the linked release of LibTorch. The table must live as long as
/// the program. Sorts the `saves` of each entry
/// as a node unpacks them: saved operands by name, as the code generator writes it.
std::vector<const Op*> entries(std::span<Op> table);

std::vector<const Op*> activations();              ///< with an in-place form, then those without
std::vector<const Op*> activations_out_of_place();
std::vector<const Op*> arithmetic();
std::vector<const Op*> unary();
std::vector<const Op*> fills();
std::vector<const Op*> views();
std::vector<const Op*> reductions();
std::vector<const Op*> products();
std::vector<const Op*> casts();

}  // namespace gradsmith::ops
