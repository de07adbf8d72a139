#include "harness/ops/family.hpp"

#include <algorithm>
#include <numeric>

#include "harness/layout.hpp"
#include "harness/promotion.hpp"

namespace gradsmith::ops {
namespace {

/// Element of an operand of shape `from` for each element of `to`, row-major; `from` broadcasts to `to`.
std::vector<std::int32_t> broadcast_index(const Shape& from, const Shape& to, std::size_t count) {
  const std::size_t rank = to.size(), lead = rank - from.size();
  std::vector<std::int64_t> step(rank, 0), at(rank, 0);
  for (std::int64_t d = static_cast<std::int64_t>(from.size()) - 1, stride = 1; d >= 0; --d) {
    step[lead + d] = from[d] == 1 ? 0 : stride;
    stride *= from[d];
  }
  std::vector<std::int32_t> index(count);
  std::int64_t position = 0;
  for (std::size_t e = 0; e < count; ++e) {
    index[e] = static_cast<std::int32_t>(position);
    for (std::size_t d = rank; d-- > 0;) {
      position += step[d];
      if (++at[d] < to[d]) break;
      position -= step[d] * to[d];
      at[d] = 0;
    }
  }
  return index;
}

/// Layout of a copy that keeps any dense strides.
Layout copied(const Layout& layout) {
  if (is_contiguous(layout) || is_dense(layout)) return {layout.shape, layout.strides};
  return elementwise_layout({&layout}, false, layout.shape);
}

Param parameter(std::string_view name, Kind kind, std::vector<Argument> choices = {}) {
  return {.name = name, .kind = kind, .choices = std::move(choices)};
}
Param parameter(std::string_view name, Kind kind, Argument preset, std::vector<Argument> choices) {
  return {.name = name, .kind = kind, .optional = true, .preset = std::move(preset), .choices = std::move(choices)};
}

}  // namespace

Broadcast::Broadcast(const MathsCall& m) {
  const Call& call = m.call;
  const Shape& shape = call.inplace ? call.shape(0) : m.results[0].layout.shape;
  count_ = static_cast<std::size_t>(element_count(shape));
  for (std::size_t i = 0; i < std::min(operands_.size(), call.args.size()); ++i) {
    Operand& o = operands_[i];
    o.elements = &o.number;
    if (call.args.is_number(i)) o.number = Var(call.args[i]);
    if (!call.args.is_tensor(i)) continue;
    o.elements = m.in[i].data();
    if (call.shape(i) == shape) o.step = 1;
    else if (m.in[i].size() != 1) o.index = broadcast_index(call.shape(i), shape, count_);
  }
}

Param tensor(std::string_view name) { return parameter(name, Kind::tensor); }
Param mask(std::string_view name) { return {.name = name, .kind = Kind::tensor, .differentiable = false}; }
Param tensor_or_number(std::string_view name) { return parameter(name, Kind::tensor_or_number); }
Param number(std::string_view name, std::vector<Argument> choices) {
  return parameter(name, Kind::number, std::move(choices));
}
Param number(std::string_view name, Argument preset, std::vector<Argument> choices) {
  return parameter(name, Kind::number, std::move(preset), std::move(choices));
}
Param integer(std::string_view name, std::vector<Argument> choices) {
  return parameter(name, Kind::integer, std::move(choices));
}
Param integer(std::string_view name, Argument preset, std::vector<Argument> choices) {
  return parameter(name, Kind::integer, std::move(preset), std::move(choices));
}
Param integers(std::string_view name, std::vector<Argument> choices) {
  return parameter(name, Kind::integers, std::move(choices));
}
Param integers(std::string_view name, Argument preset, std::vector<Argument> choices) {
  return parameter(name, Kind::integers, std::move(preset), std::move(choices));
}
Param boolean(std::string_view name, bool preset) {
  return parameter(name, Kind::boolean, preset, {false, true});
}
Param text(std::string_view name, std::string preset, std::vector<Argument> choices) {
  return parameter(name, Kind::text, std::move(preset), std::move(choices));
}

CastLayouts::CastLayouts(const Call& call) {
  const TensorInfo* first = nullptr;
  for (std::size_t i = 0; i < call.tensors.size(); ++i) {
    if (!call.tensors[i] || !call.op->params[i].differentiable) continue;
    if (!first) first = call.tensors[i];
    mixed_ |= call.tensors[i]->dtype != first->dtype;
  }
  if (mixed_) computes_ = promote(call).computes;
}

const Layout* CastLayouts::of(const Call& call, std::size_t i) {
  const TensorInfo& operand = *call.tensors[i];
  if (!mixed_ || operand.dtype == computes_ || !call.op->params[i].differentiable) return &operand.layout;
  return &copies_.emplace_back(copied(operand.layout));
}

Shaped elementwise_shape(const Call& call) {
  Shape shape;
  std::vector<const Layout*> layouts;
  layouts.reserve(call.tensors.size());
  CastLayouts cast(call);
  bool has_number = false;
  for (std::size_t i = 0; i < call.tensors.size(); ++i) {
    if (!call.tensors[i]) {
      has_number |= call.op->params[i].kind == Kind::tensor_or_number && call.args.is_number(i);
      continue;
    }
    layouts.push_back(cast.of(call, i));
    if (call.shape(i) == shape) continue;
    auto wider = broadcast(shape, call.shape(i));
    if (!wider) return refused_step("E19");
    shape = std::move(*wider);
  }
  return one_result(elementwise_layout(layouts, has_number, shape));
}

Shaped one_result(Layout layout) {
  Shaped out;
  out.results.emplace_back().layout = std::move(layout);  // a braced list would copy it
  return out;
}
Shaped contiguous_result(Shape shape) { return one_result(contiguous_layout(shape)); }
Shaped like_operand(const Call& call) { return one_result(copied(call.layout(0))); }
Shaped invalid_step(std::string message) { return {.invalid = std::move(message)}; }
Shaped refused_step(std::string_view id) { return {.refusal = id}; }

std::int64_t bytes_of(const Call& call, std::size_t i) {
  return element_count(call.shape(i)) * static_cast<std::int64_t>(sizeof(double));
}

Extra number_as_tensor(const Call& call, bool) {
  return {.most = call.args.is_number(1) ? static_cast<std::int64_t>(sizeof(double)) : 0};
}

Extra contiguous_copy(const Call& call, bool) {
  return {.most = is_contiguous(call.layout(0)) ? 0 : bytes_of(call, 0)};
}

std::optional<std::int64_t> wrap_dim(std::int64_t dim, std::int64_t rank) {
  const std::int64_t size = std::max<std::int64_t>(rank, 1);
  if (dim < -size || dim >= size) return std::nullopt;
  return dim < 0 ? dim + size : dim;
}

std::optional<std::vector<std::int64_t>> wrap_dims(const Argument& dims, std::int64_t rank, std::string& invalid) {
  std::vector<double> given;
  if (const auto* one = std::get_if<double>(&dims)) given = {*one};
  if (const auto* list = std::get_if<std::vector<double>>(&dims)) given = *list;
  std::vector<std::int64_t> wrapped;
  for (const double d : given) {
    const auto dim = static_cast<std::int64_t>(d);
    const auto w = wrap_dim(dim, rank);
    if (!w) {
      invalid = "dim " + std::to_string(dim) + " is out of range for " + std::to_string(rank) + " dimensions";
      return std::nullopt;
    }
    if (std::find(wrapped.begin(), wrapped.end(), *w) != wrapped.end()) {
      invalid = "dim " + std::to_string(dim) + " appears more than once";
      return std::nullopt;
    }
    wrapped.push_back(*w);
  }
  if (rank == 0) return std::vector<std::int64_t>{};  // there is no dimension to name
  if (given.empty()) {
    wrapped.resize(static_cast<std::size_t>(rank));
    std::iota(wrapped.begin(), wrapped.end(), std::int64_t{0});
  }
  std::sort(wrapped.begin(), wrapped.end());
  return wrapped;
}

std::vector<std::vector<std::int32_t>> reduction_groups(const Shape& shape, const std::vector<std::int64_t>& dims) {
  Shape kept = shape;
  for (const std::int64_t d : dims)
    if (static_cast<std::size_t>(d) < kept.size()) kept[d] = 1;
  std::vector<std::vector<std::int32_t>> groups(static_cast<std::size_t>(element_count(kept)));
  const auto count = static_cast<std::size_t>(element_count(shape));
  const auto group = broadcast_index(kept, shape, count);
  for (std::size_t e = 0; e < count; ++e) groups[group[e]].push_back(static_cast<std::int32_t>(e));
  return groups;
}

void note_cancellation(const Var& sum) {
  double moved = 0;
  for (int lane = 1; lane < Duals::values(); ++lane) moved = std::max(moved, std::abs(sum.v.v[lane] - sum.exact()));
  if (moved > 0.5 * std::abs(sum.exact())) Tape::active().branch(true, true, {-1, -1, 0});
}

void Terms::note_order() const {
  const long double largest = range_of(Noise::computing() == DType::f64 ? DType::f64 : DType::f32).largest;
  const bool above = up_ > largest, below = down_ < -largest;
  const bool certain = !infinite_ && above != below && std::fabs(up_ + down_) > largest;
  if ((above || below) && !certain) Tape::active().branch(true, true, {-1, -1, 0});
}

void note_pole(const Var& divisor) {
  bool above = false, below = false;
  for (int lane = 0; lane < Duals::values(); ++lane) {
    above |= divisor.v.v[lane] > 0;
    below |= divisor.v.v[lane] < 0;
  }
  if (above && below) Tape::active().branch(true, true, {-1, -1, 0});
}

std::vector<const Op*> entries(std::span<Op> table) {
  std::vector<const Op*> list;
  for (Op& op : table) {
    const auto place = [&](const Save& row) {
      return std::pair(row.reads < 0, row.reads < 0 || !row.name.empty() ? row.name : op.params[row.reads].name);
    };
    for (const Revision& revision : op.revisions)
      if (linked_release() >= revision.since) op.maths = revision.maths;
    std::stable_sort(op.saves.begin(), op.saves.end(), [&](const Save& a, const Save& b) { return place(a) < place(b); });
    list.push_back(&op);
  }
  return list;
}

}  // namespace gradsmith::ops
