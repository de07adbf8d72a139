// The batched forward of the `difference` witness: one LibTorch run over all points of the stencil.
#include <c10/core/InferenceMode.h>

#include <algorithm>

#include "harness/difference.hpp"
#include "harness/layout.hpp"
#include "harness/machine.hpp"
#include "harness/values.hpp"

namespace gradsmith {
namespace {

/// Batched tensors by family (a root tensor with its differentiable views). Values that autograd treats as constants
/// (detached, or computed in a region) stay at their value at point 0 for all points, and so do those that no leaf reaches:
/// vector kernels round one number differently from place to place. Data changed behind autograd's back (writes in a region
/// or through another family) moves all points by the same amount.
class Families {
 public:
  explicit Families(std::size_t names) : family_(names, -1) {}

  /// `moves`: the points may differ.
  void open(Value value, int storage, const at::Tensor& tensor, bool moves) {
    family_[value] = static_cast<int>(members_.size());
    members_.push_back({storage, tensor, moves});
  }
  /// Some operand's points may differ.
  bool moves(const Step& step) const {
    bool any = false;
    for_each_ref(step, [&](const Value& value) { any |= members_[static_cast<std::size_t>(family_[value])].moves; });
    return any;
  }
  void set_moving(Value value) { members_[static_cast<std::size_t>(family_[value])].moves = true; }
  void join(Value value, Value source) { family_[value] = family_[source]; }

  /// A tensor over a frozen copy of `source`'s whole storage, with the layout of `like`.
  static at::Tensor frozen(const at::Tensor& like, std::int64_t points) {
    const auto cells = static_cast<std::int64_t>(like.storage().nbytes() / like.element_size()) / points;
    const at::Tensor all = like.as_strided({cells, points}, {points, 1}, 0);
    const at::Tensor copy = centre(all).expand({cells, points}).contiguous();
    return copy.as_strided(like.sizes(), like.strides(), like.storage_offset());
  }
  /// The values at point 0, with one point.
  static at::Tensor centre(const at::Tensor& points) { return points.narrow(-1, 0, 1); }
  /// `target` becomes `points`, moved to the value `to` at point 0 with their distances from it kept.
  static void move(at::Tensor target, const at::Tensor& points, const at::Tensor& to) {
    if (at::isFloatingType(points.scalar_type())) at::add_out(target, to, points - centre(points));
    else target.copy_(to);  // all points are equal
  }
  /// All points take the value at point 0.
  static void freeze(const at::Tensor& points) { points.copy_(centre(points).clone()); }
  /// Some family of the storage is not `own`.
  bool others(int storage, int own) const {
    for (std::size_t f = 0; f < members_.size(); ++f)
      if (members_[f].storage == storage && static_cast<int>(f) != own) return true;
    return false;
  }
  /// Moves every family of the storage but `own`, at the place of `target`, to the value `to` at point 0.
  void move_others(int storage, int own, const at::Tensor& target, const at::Tensor& to) {
    for (std::size_t f = 0; f < members_.size(); ++f) {
      if (members_[f].storage != storage || static_cast<int>(f) == own) continue;
      const at::Tensor place = members_[f].tensor.as_strided(target.sizes(), target.strides(), target.storage_offset());
      move(place, place, to);
    }
  }
  int of(Value value) const { return family_[value]; }

 private:
  struct Member {
    int storage;
    at::Tensor tensor;
    bool moves;
  };
  std::vector<int> family_;
  std::vector<Member> members_;
};

/// x + h*d for each point, with the input's strides; an overlapping leaf is laid out position by position.
at::Tensor batched_input(const Input& input, const std::vector<double>& direction, const std::vector<double>& steps) {
  const auto points = static_cast<std::int64_t>(steps.size());
  std::vector<double> storage = input_storage(input), along(storage.size(), 0.0);
  Layout layout = input_layout(input);
  if (!direction.empty()) {
    const auto positions = storage_positions(layout);
    std::vector<char> seen(storage.size());
    bool overlapping = false;
    for (const auto p : positions) {
      overlapping |= seen[p] != 0;
      seen[p] = 1;
    }
    if (overlapping) {
      layout = contiguous_layout(input.shape);
      std::vector<double> apart;
      for (const auto p : positions) apart.push_back(storage[p]);
      storage = std::move(apart);
      along = direction;
    } else {
      for (std::size_t e = 0; e < positions.size(); ++e) along[positions[e]] = direction[e];
    }
  }
  at::Tensor all = at::empty({static_cast<std::int64_t>(storage.size()), points}, at::kDouble);
  double* out = all.mutable_data_ptr<double>();
  for (std::size_t c = 0; c < storage.size(); ++c)
    for (const double h : steps) *out++ = storage[c] + h * along[c];
  if (!is_floating(input.dtype)) all = all.to(scalar_type(input.dtype));
  for (auto& s : layout.strides) s *= points;
  layout.shape.push_back(points);
  layout.strides.push_back(1);
  layout.offset *= points;
  lay_out(all, layout);
  return all;
}

/// The same numbers at all points, contiguous.
at::Tensor constant(const Array& array, std::int64_t points) {
  Shape sizes = array.shape;
  sizes.push_back(1);
  at::Tensor out = at::empty(sizes, at::kDouble);
  std::copy(array.data.begin(), array.data.end(), out.data_ptr<double>());
  sizes.back() = points;
  return out.expand(sizes).contiguous();
}

}  // namespace

BatchedForward forward_along(const Chain& chain, const Typed& typed, const std::vector<Value>& implied_roots,
                             const GradientClaim& claim, const Direction& direction, const std::vector<double>& steps) {
  const auto points = static_cast<std::int64_t>(steps.size());
  BatchedForward out;
  out.values.assign(steps.size(), 0.0);
  std::vector<double> magnitudes(steps.size(), 0.0);
  Machine machine(chain.names.size());
  Families families(chain.names.size());
  std::vector<int> constants;  // storages of gradients with names
  bool stops = false;  // only chains that cut gradients need families
  for (const auto& statement : chain.statements) {
    stops |= std::holds_alternative<RegionBegin>(statement);
    if (const auto* step = std::get_if<Step>(&statement)) stops |= step->op->alias == Alias::detach;
  }

  // An overlapping leaf lies position by position here; what is computed from it still gets the strides it has on LibTorch.
  bool relayout = false;
  for (const auto& statement : chain.statements)
    if (const auto* input = std::get_if<Input>(&statement); input && input->requires_grad)
      relayout |= !is_dense(input_layout(*input));
  const auto run_step = [&](const Step& step, const TypedStep& types) {
    machine.step(step, true);
    if (!relayout || step.inplace || step.op->alias != Alias::none || types.results[0].same_object) return;
    for (std::size_t k = 0; k < step.results.size(); ++k) {
      if (step.results[k] == dropped) continue;
      at::Tensor& result = machine[step.results[k]];
      Shape strides = types.results[k].layout.strides;
      for (auto& s : strides) s *= points;
      strides.push_back(1);
      if (result.strides() == at::IntArrayRef(strides)) continue;
      result = at::empty_strided(result.sizes(), strides, result.options()).copy_(result);
    }
  };

  const auto accumulate = [&](const std::optional<Spec>& cotangent, const std::vector<Value>& roots) {
    const auto weights = seeds(cotangent, roots, typed);
    for (std::size_t r = 0; r < roots.size(); ++r) {
      const at::Tensor root = machine[roots[r]].contiguous();
      const double* data = static_cast<const double*>(root.const_data_ptr());
      for (const double w : weights[r])
        for (std::int64_t p = 0; p < points; ++p, ++data) {
          out.values[p] += w * *data;
          magnitudes[p] += std::abs(w * *data);
        }
    }
    out.magnitude = *std::max_element(magnitudes.begin(), magnitudes.end());
  };

  const c10::InferenceMode no_autograd;
  int depth = 0;
  try {
    for (std::size_t i = 0; i < chain.statements.size(); ++i) {
      const auto& statement = chain.statements[i];
      if (const auto* input = std::get_if<Input>(&statement)) {
        machine[input->name] = batched_input(*input, direction.along[input->name], steps);
        if (stops)
          families.open(input->name, typed.values[input->name].storage, machine[input->name],
                        !direction.along[input->name].empty());
      } else if (std::holds_alternative<RegionBegin>(statement)) {
        ++depth;
      } else if (std::holds_alternative<RegionEnd>(statement)) {
        --depth;
      } else if (const auto* backward = std::get_if<Backward>(&statement)) {
        if (claim.statement ? *claim.statement == i : !backward->wrt) accumulate(backward->cotangent, backward->roots);
        for (const Value result : backward->results) {  // a constant for autograd, so for all points
          if (result == dropped) continue;
          constants.push_back(typed.values[result].storage);
          machine[result] = constant(*claim.constants[result], points);
          if (stops) families.open(result, typed.values[result].storage, machine[result], false);
        }
      } else {
        const Step& step = std::get<Step>(statement);
        const auto target = step.inplace ? typed.values[Args(step.args).tensor(0)].storage : -1;
        if (std::find(constants.begin(), constants.end(), target) != constants.end()) {  // its value then is not its last
          out.failure = "a gradient with a name is written";
          return out;
        }
        // A view op that had to copy (flatten) must not be a view here, where an expanded leaf lies position by position.
        const auto& results = typed.steps[i].results;
        const bool copied = step.op->alias != Alias::none && step.op->alias != Alias::detach && !results[0].view && !results[0].same_object;
        const bool moves = stops && families.moves(step);
        if (!stops || copied) {
          run_step(step, typed.steps[i]);
          if (copied && step.results[0] != dropped) machine[step.results[0]] = machine[step.results[0]].clone();
          if (!stops) continue;
          if (const Value result = step.results[0]; result != dropped) {
            const bool moving = moves && depth == 0;
            if (!moving) Families::freeze(machine[result]);
            families.open(result, typed.values[result].storage, machine[result], moving);
          }
          continue;
        }
        const Value first = Args(step.args).is_tensor(0) ? Args(step.args).tensor(0) : dropped;
        if (step.inplace) {
          at::Tensor target = machine[first];
          const at::Tensor before = depth > 0 ? target.clone() : at::Tensor();
          run_step(step, typed.steps[i]);
          if (!moves) Families::freeze(target);
          if (moves && depth == 0) families.set_moving(first);
          const int own = families.of(first), storage = typed.values[first].storage;
          if (depth == 0 && !families.others(storage, own)) continue;
          const at::Tensor centre = Families::centre(target).clone();
          families.move_others(storage, own, target, centre);
          if (depth > 0) Families::move(target, before, centre);
          continue;
        }
        run_step(step, typed.steps[i]);
        const bool shares = step.op->alias != Alias::none && (step.op->alias == Alias::detach || typed.steps[i].results[0].view);
        for (const Value result : step.results) {
          if (result == dropped) continue;
          const int storage = typed.values[result].storage;
          if (shares && depth == 0 && !cuts_history(step, typed.steps[i])) {
            families.join(result, first);
          } else if (typed.object[result] != result) {
            families.join(result, typed.object[result]);
          } else {
            const bool moving = moves && !shares && depth == 0;
            if (shares)
              machine[result] = Families::frozen(machine[result], points);
            else if (!moving)
              Families::freeze(machine[result]);
            families.open(result, storage, machine[result], moving);
          }
        }
      }
    }
    if (!implied_roots.empty()) accumulate(Spec{}, implied_roots);
  } catch (const c10::Error& error) {
    out.failure = "the batched forward was refused: " + std::string(error.what_without_backtrace()).substr(0, 120);
  }
  return out;
}

}  // namespace gradsmith
