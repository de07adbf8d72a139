#include "harness/reference.hpp"

#include <algorithm>
#include <numeric>

#include "harness/ops/lanes.hpp"
#include "harness/tape_narrow.hpp"
#include "harness/values.hpp"

namespace gradsmith {
namespace {

/// Positions in operand 0 of each result of a view op: its shape rule applied to a contiguous operand of the same shape.
std::vector<std::vector<std::int64_t>> view_positions(const Step& step, const TypedStep& typed) {
  TensorInfo contiguous{typed.operands[0].dtype, contiguous_layout(typed.operands[0].layout.shape), 0};
  Call call{step.op, false, Args(step.args), std::vector<const TensorInfo*>(step.op->params.size(), nullptr)};
  call.tensors[0] = &contiguous;
  const Shaped shaped = step.op->shape(call);
  std::vector<std::vector<std::int64_t>> positions;
  for (const auto& result : shaped.results) positions.push_back(storage_positions(result.layout));
  return positions;
}

/// The numbers among the arguments as kernels of a narrow type take them: in float.
std::vector<Argument> in_float(std::vector<Argument> args) {
  for (Argument& arg : args)
    if (auto* number = std::get_if<double>(&arg)) *number = round_to(DType::f32, *number);
  return args;
}

/// What a write leaves in an i64 or bool tensor.
Var converted(const Var& x, DType dtype) {
  Lanes::Vec v = x.v.v;
  for (int lane = 0; lane < lane_count; ++lane) v[lane] = dtype == DType::boolean ? v[lane] != 0 : std::trunc(v[lane]) + 0.0;
  return {Lanes(v), -1};
}

/// What the step leaves behind is a floating tensor.
bool makes_floating(const Step& step, const TypedStep& typed) {
  if (step.inplace) return is_floating(typed.operands[0].dtype);
  for (std::size_t i = 0; i < typed.operands.size(); ++i)
    if (std::holds_alternative<Ref>(step.args[i]) && step.op->params[i].differentiable && is_floating(typed.operands[i].dtype))
      return true;
  return false;
}

}  // namespace

Evaluator::Evaluator(std::uint64_t noise, DType dtype, NoGradViews views, const Tangents* along)
    : no_grad_views_(views), along_(along) {
  Tape::active().clear();
  Noise::restart(noise, dtype);
  Tape::active().work_in(dtype, dtype);
}

Evaluator::Tensor& Evaluator::define(Value value) {
  if (tensors_.size() <= static_cast<std::size_t>(value)) tensors_.resize(value + 1);
  return tensors_[value] = {};
}

int Evaluator::new_storage(std::vector<Lanes> cells) {
  storages_.push_back(std::move(cells));
  return static_cast<int>(storages_.size()) - 1;
}

int Evaluator::new_family(int storage) {
  families_.emplace_back(storages_[storage].size(), -1);
  tracks_.push_back(0);
  family_storage_.push_back(storage);
  return static_cast<int>(families_.size()) - 1;
}

void Evaluator::bind(Value value, std::vector<Lanes> elements) {
  Tensor& t = define(value);
  t.cells.resize(elements.size());
  t.storage = new_storage(std::move(elements));
  t.family = new_family(t.storage);
  std::iota(t.cells.begin(), t.cells.end(), 0);
}

std::vector<Var> Evaluator::read(Value value) const {
  const Tensor& t = tensors_[value];
  std::vector<Var> out;
  out.reserve(t.cells.size());
  for (const auto cell : t.cells) out.push_back({storages_[t.storage][cell], families_[t.family][cell]});
  return out;
}

std::vector<Lanes> Evaluator::lanes(Value value) const {
  const Tensor& t = tensors_[value];
  std::vector<Lanes> out(t.cells.size());
  for (std::size_t e = 0; e < out.size(); ++e) out[e] = storages_[t.storage][t.cells[e]];
  return out;
}

void Evaluator::bind_gradients(const Backward& statement, const std::vector<Lanes>& adjoint) {
  for (std::size_t k = 0; k < statement.results.size(); ++k) {
    if (statement.results[k] == dropped) continue;
    std::vector<Lanes> gradient;
    for (const Var& v : read((*statement.wrt)[k]))  // where nothing flows LibTorch has 0, or 0 times what arrives
      gradient.push_back(ops::with_either_zero(v.node < 0 ? Lanes(0.0) : adjoint[v.node]));
    bind(statement.results[k], std::move(gradient));
  }
}

/// Elements as an op takes them: in a region without their nodes.
void Evaluator::operand(Value value, std::vector<Var>& out) const {
  const Tensor& t = tensors_[value];
  out.resize(t.cells.size());
  const auto& values = storages_[t.storage];
  const auto& nodes = families_[t.family];
  const bool track = regions_ == 0;
  for (std::size_t e = 0; e < out.size(); ++e) {
    const auto cell = t.cells[e];
    const int node = track ? nodes[cell] : -1;
    out[e] = Var(Tape::active().moving(values[cell], node), node);
  }
}

bool Evaluator::is_view(Value value) const { return tensors_[value].view; }

const std::vector<int>& Evaluator::leaf(Value value) const { return tensors_[value].leaf; }

void Evaluator::add(const Statement& statement, const Typed& typed) {
  const std::size_t index = statements_++;
  if (const auto* input = std::get_if<Input>(&statement)) {
    Tensor& t = define(input->name);
    t.dtype = input->dtype;
    if (is_floating(t.dtype)) Tape::active().work_in(t.dtype, t.dtype);
    const auto data = input_storage(*input);
    const auto layout = input_layout(*input);
    const auto positions = storage_positions(layout);
    std::vector<Lanes> cells;
    cells.reserve(std::max(data.size(), positions.size()));
    subnormal_ |= std::any_of(data.begin(), data.end(), [](double x) { return x != 0 && std::abs(x) < 0x1p-1022; });
    if (input->requires_grad) {  // every position is independent for autograd, shared cells too
      for (const auto p : positions) cells.push_back(Lanes(data[p]));
      t.cells.resize(positions.size());
      std::iota(t.cells.begin(), t.cells.end(), 0);
      if (input->strides) {
        auto used = positions;
        std::sort(used.begin(), used.end());
        t.per_position = std::adjacent_find(used.begin(), used.end()) != used.end();
      }
    } else {
      for (const double d : data) cells.push_back(Lanes(d));
      t.cells.assign(positions.begin(), positions.end());
    }
    t.storage = new_storage(std::move(cells));
    t.family = new_family(t.storage);
    tracks_[t.family] = static_cast<char>(input->requires_grad);
    if (input->requires_grad)
      for (std::size_t e = 0; e < t.cells.size(); ++e) {
        const int node = Tape::active().leaf(storages_[t.storage][e].exact(), along_ ? (*along_)[input->name][e] : 0);
        Tape::active().keep(node);
        families_[t.family][e] = node;
        t.leaf.push_back(node);
      }
  } else if (const auto* region = std::get_if<RegionBegin>(&statement)) {
    const bool inference = region->kind == RegionBegin::Kind::inference;
    open_regions_.push_back(inference || no_grad_views_ != NoGradViews::forward_mode);
    regions_ += open_regions_.back();
  } else if (std::holds_alternative<RegionEnd>(statement)) {
    regions_ -= open_regions_.back();
    open_regions_.pop_back();
  } else if (const auto* s = std::get_if<Step>(&statement)) {
    step(*s, typed.steps[index]);
  }
}

void Evaluator::view(const Step& step, const TypedStep& typed) {
  const Value source = Args(step.args).tensor(0);
  if (step.op->alias != Alias::detach && typed.results[0].same_object) {  // another name
    if (step.results[0] != dropped) {
      define(step.results[0]);
      tensors_[step.results[0]] = tensors_[source];
    }
    return;
  }
  const auto positions = view_positions(step, typed);
  const bool apart = cuts_history(step, typed), cut = apart || (regions_ > 0 && no_grad_views_ == NoGradViews::cut);
  for (std::size_t k = 0; k < step.results.size(); ++k) {
    if (step.results[k] == dropped) continue;
    Tensor& t = define(step.results[k]);
    const Tensor& from = tensors_[source];
    t.storage = from.storage;
    t.view = step.op->alias != Alias::detach;
    t.per_position = from.per_position;
    t.dtype = from.dtype;
    t.cells.reserve(positions[k].size());
    for (const auto p : positions[k]) t.cells.push_back(from.cells[p]);
    const int storage = from.storage, family = from.family;
    t.family = cut ? new_family(storage) : family;
    // A view taken in a region still says that it requires grad, though nothing flows through it.
    if (!apart) tracks_[t.family] = tracks_[family];
  }
}

void Evaluator::step(const Step& step, const TypedStep& typed) {
  const Op& op = *step.op;
  Tape& tape = Tape::active();
  if (is_floating(typed.computes) && is_floating(typed.stores)) tape.work_in(typed.computes, typed.stores);
  const bool in_floats = Noise::computing() != DType::f64;
  const std::vector<Argument> rounded = in_floats ? in_float(step.args) : std::vector<Argument>();
  const Args args(in_floats ? rounded : step.args);
  const bool same = !typed.results.empty() && typed.results[0].same_object;
  const bool copies = !typed.results.empty() && !typed.results[0].view && !same;
  if (same || (op.alias != Alias::none && (op.alias == Alias::detach || !copies))) return view(step, typed);

  in_.resize(op.params.size());
  Call call{&op, step.inplace, args, std::vector<const TensorInfo*>(op.params.size(), nullptr)};
  for (std::size_t i = 0; i < op.params.size(); ++i) {
    in_[i].clear();
    if (!args.is_tensor(i)) continue;
    operand(args.tensor(i), in_[i]);
    call.tensors[i] = &typed.operands[i];
  }
  tape.set_recording(regions_ == 0);
  if (Noise::narrow()) cast_operands(step, typed);
  const auto before = static_cast<int>(tape.size());
  std::vector<ResultInfo> written;
  if (step.inplace) written.emplace_back().layout = typed.operands[0].layout;
  const std::vector<ResultInfo>& results = step.inplace ? written : typed.results;
  out_.resize(results.size());
  for (auto& o : out_) o.clear();
  if (op.alias != Alias::none) {  // a view op that had to copy (flatten)
    const auto positions = view_positions(step, typed);
    for (const auto p : positions[0]) out_[0].push_back(in_[0][p]);
  } else {
    MathsCall maths{call, in_, results, out_};
    (step.inplace && op.maths_inplace ? op.maths_inplace : op.maths)(maths);
  }
  if (step.inplace && !is_floating(typed.operands[0].dtype))
    for (Var& v : out_[0]) v = converted(v, typed.operands[0].dtype);
  if (Noise::narrow() && makes_floating(step, typed))
    for (auto& elements : out_)
      for (Var& v : elements) v.v = stored(v.v);
  // A result is a tensor of its own even where its element is an operand's, or does not depend on any: it gets a node, so
  // that what arrives at the result is told from what arrives at the operand.
  const bool differentiable = regions_ == 0 && !(step.inplace && !is_floating(typed.operands[0].dtype));
  bool tracks = false;
  for (std::size_t i = 0; i < op.params.size(); ++i)
    tracks |= differentiable && args.is_tensor(i) && op.params[i].differentiable && tracks_[tensors_[args.tensor(i)].family];
  if (tracks)
    for (auto& elements : out_)
      for (Var& v : elements)
        if (v.node < before) v.node = v.node < 0 ? tape.leaf(v.exact()) : tape.push(v.exact(), v.node, 1.0);
  for (const auto& elements : out_)
    for (const Var& v : elements) tape.keep(v.node);
  tape.set_recording(true);
  for (const auto& elements : out_)
    for (const Var& v : elements) nan_ |= std::isnan(v.exact());

  if (step.inplace) {
    const Tensor& t = tensors_[args.tensor(0)];
    if (tracks && t.cells.size() < families_[t.family].size())  // the whole base is rebased: what arrives at it from here on is told from what arrived before
      for (std::size_t cell = 0; cell < families_[t.family].size(); ++cell) {
        int& node = families_[t.family][cell];
        const double value = storages_[t.storage][cell].exact();
        node = node < 0 ? tape.leaf(value) : tape.push(value, node, 1.0);  // constants too: the base is no constant now
        tape.keep(node);
      }
    if (t.per_position) open_ = "a leaf whose elements share cells was written";
    auto& values = storages_[t.storage];
    auto& nodes = families_[t.family];
    tracks_[t.family] |= static_cast<char>(tracks);
    for (std::size_t e = 0; e < t.cells.size(); ++e) {
      values[t.cells[e]] = out_[0][e].v;
      if (regions_ == 0) nodes[t.cells[e]] = out_[0][e].node;  // a write in no_grad changes data, not history
    }
    // Where the history stays, the rounding is that of the new data.
    for (std::size_t f = 0; f < families_.size(); ++f) {
      if (family_storage_[f] != t.storage || (regions_ == 0 && static_cast<int>(f) == t.family)) continue;
      for (std::size_t e = 0; e < t.cells.size(); ++e) {
        const int node = families_[f][t.cells[e]];
        if (node < 0) continue;
        const double left = out_[0][e].exact();
        rewritten_.emplace_back(node, left);
        if (left != 0 && std::abs(left) < 0x1p-1018) open_ = "a write in a region left a subnormal number";  // fused or flushed
      }
    }
    return;
  }
  for (std::size_t k = 0; k < step.results.size(); ++k) {
    if (step.results[k] == dropped) continue;
    std::vector<Lanes> values;
    values.reserve(out_[k].size());
    for (const Var& v : out_[k]) values.push_back(v.v);
    bind(step.results[k], std::move(values));
    tensors_[step.results[k]].dtype = typed.stores;
    auto& nodes = families_[tensors_[step.results[k]].family];
    tracks_[tensors_[step.results[k]].family] = static_cast<char>(tracks);
    for (std::size_t e = 0; e < nodes.size(); ++e) nodes[e] = out_[k][e].node;
  }
}

std::vector<Lanes> Evaluator::sweep(const std::vector<Value>& roots,
                                    const std::vector<std::vector<double>>& cotangents) const {
  std::vector<Lanes> adjoint(Tape::active().size());
  for (std::size_t r = 0; r < roots.size(); ++r) {
    const Tensor& t = tensors_[roots[r]];
    for (std::size_t e = 0; e < t.cells.size(); ++e) {
      const int node = families_[t.family][t.cells[e]];
      if (node < 0) continue;
      Lanes& at = adjoint[node];
      Noise::work_in(t.dtype, t.dtype);
      const Lanes seed(cotangents[r][e]);  // a single one does not round, sums do
      at = at.is_zero() ? seed : accumulated(at, seed);
    }
  }
  if (!Tape::active().sweep(adjoint)) infinite_ = true;
  return adjoint;
}

std::vector<std::vector<double>> seeds(const std::optional<Spec>& cotangent, const std::vector<Value>& roots,
                                       const Typed& typed) {
  std::vector<Shape> shapes;
  std::vector<DType> types;
  for (const Value root : roots) {
    shapes.push_back(typed.values[root].layout.shape);
    types.push_back(typed.values[root].dtype);
  }
  if (cotangent) return cotangent_values(*cotangent, shapes, types);
  std::vector<std::vector<double>> ones;
  for (const Shape& shape : shapes) ones.emplace_back(element_count(shape), 1.0);
  return ones;
}

Reference run_reference(const Chain& chain, const Typed& typed, const std::vector<Value>& implied_roots,
                        std::uint64_t noise, NoGradViews views, const OnSweep& on_sweep, const Tangents* along) {
  const DType dtype = floating_type(chain);
  Evaluator evaluator(noise, dtype, views, along);
  Reference out;
  out.values.resize(chain.names.size());
  out.gradients.resize(chain.names.size());
  std::vector<std::vector<Lanes>> gradients(chain.names.size());
  std::vector<Value> leaves, defined;

  const auto backward = [&](const Backward& statement) {
    const auto cotangents = seeds(statement.cotangent, statement.roots, typed);
    const auto adjoint = evaluator.sweep(statement.roots, cotangents);
    if (on_sweep) on_sweep(evaluator, statement, adjoint);
    const Tape& tape = Tape::active();
    for (std::size_t i = 0; i < adjoint.size(); ++i) out.rounding += std::abs(adjoint[i].exact() * tape[i].value);
    for (const auto& [node, value] : evaluator.rewritten()) out.rounding += std::abs(adjoint[node].exact() * value);
    for (std::size_t r = 0; r < statement.roots.size(); ++r) {  // the sum itself; roots may hold data written in no_grad
      const auto elements = evaluator.lanes(statement.roots[r]);
      for (std::size_t e = 0; e < elements.size(); ++e) {
        const Lanes& v = elements[e];
        double moved = 0;  // rounding inside an op's maths, where it cancels (gelu far below 0)
        for (int lane = 1; lane < lane_count; ++lane) moved = std::max(moved, std::abs(v.v[lane] - v.v[0]));
        out.rounding += std::abs(cotangents[r][e]) * (std::abs(v.exact()) + moved / unit_roundoff(dtype));
      }
    }
    if (!statement.wrt) {
      for (const Value leaf : leaves) {
        const auto& nodes = evaluator.leaf(leaf);
        Noise::work_in(typed.values[leaf].dtype, typed.values[leaf].dtype);
        for (std::size_t e = 0; e < nodes.size(); ++e)
          gradients[leaf][e] = accumulated(gradients[leaf][e], adjoint[nodes[e]]);
      }
      return;
    }
    evaluator.bind_gradients(statement, adjoint);
    for (std::size_t k = 0; k < statement.results.size(); ++k) {
      if (statement.results[k] == dropped) continue;
      defined.push_back(statement.results[k]);
      if (evaluator.is_view((*statement.wrt)[k])) out.open = "gradient with respect to a view";  // cells do not tell a view from its base
    }
  };

  for (const auto& statement : chain.statements) {
    evaluator.add(statement, typed);
    if (const auto* input = std::get_if<Input>(&statement)) {
      defined.push_back(input->name);
      if (input->requires_grad) {
        leaves.push_back(input->name);
        gradients[input->name].resize(evaluator.leaf(input->name).size());
      }
    } else if (const auto* step = std::get_if<Step>(&statement)) {
      for (const Value result : step->results)
        if (result != dropped) defined.push_back(result);
    } else if (const auto* statement_backward = std::get_if<Backward>(&statement)) {
      backward(*statement_backward);
    }
  }
  if (!implied_roots.empty()) backward({.roots = implied_roots, .cotangent = Spec{}});
  for (const Value value : defined) out.values[value] = spread_of(evaluator.lanes(value), typed.values[value].dtype);
  out.leaf_nodes.resize(chain.names.size());
  for (const Value leaf : leaves) {
    out.gradients[leaf] = spread_of(gradients[leaf], typed.values[leaf].dtype);
    out.leaf_nodes[leaf] = evaluator.leaf(leaf);
  }
  if (out.open.empty()) out.open = evaluator.open();
  out.subnormal = evaluator.subnormal();
  out.nan = evaluator.nan();
  if (evaluator.infinite()) out.open = "cotangents not finite";
  if (!evaluator.stable()) out.open = "a replica takes another branch";
  return out;
}

}  // namespace gradsmith
