#include "harness/twin.hpp"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <map>

#include "harness/layout.hpp"
#include "harness/machine.hpp"
#include "harness/meter.hpp"

namespace gradsmith {
namespace {

/// How each storage is kept: as plain tensors, or (written and aliased) as one flat value per family.
struct Plan {
  std::vector<char> flat;  // by storage
  int writes = 0;
  bool bitwise = true;
  std::string reason;      // why there is no twin
};

Plan plan_twin(const Chain& chain, const Typed& typed) {
  Plan plan;
  int storages = 0;
  for (const auto& value : typed.values) storages = std::max(storages, value.storage + 1);
  std::vector<int> names(storages);
  std::vector<char> written(storages), needs_layout(storages);
  for (std::size_t v = 0; v < typed.values.size(); ++v)
    if (typed.known[v] && typed.object[v] == static_cast<Value>(v)) ++names[typed.values[v].storage];
  std::vector<Value> wrt;
  std::vector<char> rewritten(storages);  // in a region: other data, the same history
  int depth = 0;
  for (std::size_t i = 0; i < chain.statements.size(); ++i) {
    const Statement& statement = chain.statements[i];
    depth += std::holds_alternative<RegionBegin>(statement);
    depth -= std::holds_alternative<RegionEnd>(statement);
    if (const auto* backward = std::get_if<Backward>(&statement)) {
      if (backward->wrt) wrt.insert(wrt.end(), backward->wrt->begin(), backward->wrt->end());
      if (backward->may_fail) plan.reason = "a backward that may fail";
    }
    const auto* step = std::get_if<Step>(&statement);
    if (!step || !step->inplace) continue;
    ++plan.writes;
    const TensorInfo& target = typed.values[Args(step->args).tensor(0)];
    written[target.storage] = 1;
    if (depth > 0) rewritten[target.storage] = 1;
    if (has_internal_overlap(target.layout)) plan.reason = "elements of a written tensor share cells";
    // Kernels tell strides and alignment apart (a dot product sums in another order): both are kept.
    if (!is_dense(target.layout) || target.layout.offset != 0) needs_layout[target.storage] = 1;
    if (!step->op->twin_bitwise) plan.bitwise = false;
    if (typed.steps[i].computes != typed.steps[i].stores)
      plan.bitwise = false;  // the twin's gradients are of the wider type
    // What arrives at a tensor from several sides takes the strides of whichever comes first; sums follow them.
    if (!(target.layout == contiguous_layout(target.layout.shape))) plan.bitwise = false;
  }
  plan.flat.resize(storages);
  bool any_flat = false;
  for (int s = 0; s < storages; ++s)
    if (written[s] && (names[s] > 1 || needs_layout[s])) plan.flat[s] = any_flat = true;
  if (any_flat) plan.bitwise = false;  // gradients of aliased tensors are summed in another order
  if (plan.writes == 0) plan.reason = "no in-place step";
  for (const Value value : wrt)
    if (const int s = typed.values[value].storage; plan.flat[s] || rewritten[s])
      plan.reason = "gradients with respect to a tensor that is aliased, or written in a region";
  return plan;
}

/// The tensors of a twin: plain ones in the machine, flat ones per family.
class TwinTensors {
 public:
  TwinTensors(Machine& machine, const Typed& typed, const Plan& plan) : machine_(machine), typed_(typed), plan_(plan) {
    family_.resize(typed.values.size(), -1);
  }

  bool is_flat(Value value) const { return plan_.flat[typed_.values[value].storage]; }
  Value object(Value value) const { return typed_.object[value]; }

  /// Takes a fresh tensor (an input or a result) into its storage.
  void adopt(Value value, const at::Tensor& tensor) {
    if (!is_flat(value)) return;
    const Layout& layout = typed_.values[value].layout;
    at::Tensor flat = tensor.reshape({-1});
    if (tensor.numel() > 0 && (!is_contiguous(layout) || layout.offset != 0)) {
      const auto cells = storage_positions(layout);
      const auto extent = *std::max_element(cells.begin(), cells.end()) + 1;
      flat = at::zeros({extent}, tensor.options().requires_grad(false)).index_copy(0, index(cells), flat);
    }
    family_[value] = static_cast<int>(families_.size());
    families_.push_back({typed_.values[value].storage, flat});
  }
  /// A view of a flat storage; `cut`: without its history.
  void adopt_view(Value value, Value source, bool cut) {
    if (!cut) {
      family_[value] = family_[object(source)];
      return;
    }
    family_[value] = static_cast<int>(families_.size());
    const at::Tensor flat = families_[family_[object(source)]].flat.detach().clone();
    families_.push_back({typed_.values[value].storage, flat});
  }
  /// Puts the present value of a flat tensor where steps read it.
  void refresh(Value value) {
    if (!is_flat(value)) return;
    const Layout& layout = typed_.values[value].layout;
    machine_[value] = families_[family_[object(value)]].flat.as_strided(layout.shape, layout.strides, layout.offset);
  }
  /// The present elements.
  Array read(Value value) const {
    if (!is_flat(value)) return read_array(machine_[object(value)]);
    Array out = read_array(families_[family_[object(value)]].flat);
    const Layout& layout = typed_.values[value].layout;
    std::vector<double> elements;
    for (const auto cell : storage_positions(layout)) elements.push_back(out.data[cell]);
    out.shape = layout.shape;
    out.data = std::move(elements);
    return out;
  }
  /// The tensor's elements become `y`; with `history`, so does its history. True if `y` itself took its place and nothing
  /// else had to be done.
  bool write(Value value, const at::Tensor& y, bool history) {
    const Value target = object(value);
    if (!is_flat(value)) {
      const bool plain = history && y.strides() == machine_[target].strides();
      machine_[target] = history ? laid_out_as(machine_[target], y) : overwritten(machine_[target], [&](at::Tensor& t) { t.copy_(y); });
      return plain;
    }
    const auto cells = storage_positions(typed_.values[value].layout);
    const at::Tensor where = index(cells), elements = y.reshape({-1});
    const int own = family_[target], storage = typed_.values[value].storage;
    for (std::size_t f = 0; f < families_.size(); ++f) {
      Family& family = families_[f];
      if (family.storage != storage) continue;
      if (static_cast<int>(f) == own && history)
        family.flat = family.flat.index_copy(0, where, elements);
      else
        family.flat = overwritten(family.flat, [&](at::Tensor& t) { t.index_copy_(0, where, elements.detach()); });
    }
    return false;
  }

 private:
  struct Family {
    int storage;
    at::Tensor flat;
  };
  static at::Tensor index(const std::vector<std::int64_t>& cells) {
    at::Tensor out = at::empty({static_cast<std::int64_t>(cells.size())}, at::kLong);
    std::copy(cells.begin(), cells.end(), out.data_ptr<std::int64_t>());
    return out;
  }
  /// `y` with the strides of `target`, so that later kernels take the path they take in place.
  static at::Tensor laid_out_as(const at::Tensor& target, const at::Tensor& y) {
    if (y.strides() == target.strides()) return y;
    at::Tensor out = at::empty_strided(target.sizes(), target.strides(), target.options().requires_grad(false));
    return out.copy_(y);
  }
  /// A copy with other data and the same history.
  template <class Overwrite>
  static at::Tensor overwritten(const at::Tensor& t, Overwrite overwrite) {
    at::Tensor copy;
    {
      at::AutoGradMode on(true);
      copy = t.clone();
    }
    at::NoGradGuard off;
    overwrite(copy);
    return copy;
  }

  Machine& machine_;
  const Typed& typed_;
  const Plan& plan_;
  std::vector<int> family_;
  std::vector<Family> families_;
};

/// Everything but what the run still holds when it is over.
std::variant<Twin, std::string> run_twin(const Chain& chain, const Typed& typed, const std::vector<Value>& implied_roots,
                                         const Plan& plan, Meter& meter) {
  Machine machine(chain.names.size());
  TwinTensors tensors(machine, typed, plan);
  Regions regions;
  int depth = 0;
  std::map<Value, at::Tensor> leaves;

  bool lost = false;  // a gradient with a name has no counterpart: here a view taken in a region has no history at all
  const auto backward = [&](const Backward& statement, const std::vector<Value>& roots) {
    meter.forward_ends([&] { return machine.named_bytes(); });
    {
      at::AutoGradMode on(true);  // also in a region: a root keeps the history it has
      for (const Value root : roots) tensors.refresh(root);
    }
    std::vector<Value> objects;
    for (const Value root : roots) objects.push_back(tensors.is_flat(root) ? root : tensors.object(root));
    std::vector<at::Tensor> cotangents;
    if (statement.cotangent) cotangents = make_cotangents(machine, *statement.cotangent, objects);
    for (std::size_t r = objects.size(); r-- > 0;) {  // a view taken in a region: LibTorch lets nothing through either
      if (machine[objects[r]].requires_grad()) continue;
      lost |= statement.wrt.has_value();
      objects.erase(objects.begin() + static_cast<std::ptrdiff_t>(r));
      if (!cotangents.empty()) cotangents.erase(cotangents.begin() + static_cast<std::ptrdiff_t>(r));
    }
    if (lost || objects.empty()) return;
    if (statement.wrt)
      for (const Value value : *statement.wrt) machine[value] = machine[tensors.object(value)];  // the tensor as it is now
    Backward retained = statement;  // rebuilding a storage saves indices that the chain's own graph does not have
    retained.retain_graph = true;
    meter.before_backward();
    machine.backward(retained, objects, std::move(cotangents));
    meter.after_backward();
    for (const Value result : statement.results)
      if (result != dropped) tensors.adopt(result, machine[result]);
  };

  try {
    for (std::size_t i = 0; i < chain.statements.size() && !lost; ++i) {
      const auto& statement = chain.statements[i];
      if (const auto* input = std::get_if<Input>(&statement)) {
        machine[input->name] = make_input(*input);
        if (input->requires_grad) leaves[input->name] = machine[input->name];
        tensors.adopt(input->name, machine[input->name]);
      } else if (std::holds_alternative<RegionBegin>(statement)) {
        regions.open(RegionBegin::Kind::no_grad);  // inference mode as well: both only keep history away
        ++depth;
      } else if (std::holds_alternative<RegionEnd>(statement)) {
        regions.close();
        --depth;
      } else if (const auto* statement_backward = std::get_if<Backward>(&statement)) {
        backward(*statement_backward, statement_backward->roots);
      } else {
        const Step& step = std::get<Step>(statement);
        const Args args(step.args);
        for_each_ref(step, [&](Value value) {
          tensors.refresh(value);
          if (!tensors.is_flat(value)) machine[value] = machine[tensors.object(value)];
        });
        if (step.inplace) {
          meter.before_step();
          const bool plain = tensors.write(args.tensor(0), machine.functional(step), depth == 0);
          meter.after_step(i, plain);  // else it is mostly the twin's own work
          continue;
        }
        const Alias alias = step.op->alias;
        const auto& results = typed.steps[i].results;
        const bool view = alias != Alias::none && (alias == Alias::detach || (!results.empty() && results[0].view));
        meter.before_step();
        machine.step(step);
        meter.after_step(i);
        for (std::size_t k = 0; k < step.results.size(); ++k) {
          const Value value = step.results[k];
          if (value == dropped || typed.object[value] != value) continue;
          if (view && tensors.is_flat(value))
            tensors.adopt_view(value, args.tensor(0), cuts_history(step, typed.steps[i]) || depth > 0);
          else
            tensors.adopt(value, machine[value]);
        }
      }
    }
    if (!implied_roots.empty()) backward({.cotangent = Spec{}}, implied_roots);
    meter.forward_ends([&] { return machine.named_bytes(); });
  } catch (const c10::Error& error) {
    return "the twin was refused: " + std::string(error.what_without_backtrace());
  }
  if (lost) return "gradients of a view taken in a region";

  Twin twin;
  twin.bitwise_gradients = plan.bitwise;
  twin.outcome.values.resize(chain.names.size());
  twin.outcome.gradients.resize(chain.names.size());
  for (std::size_t v = 0; v < typed.values.size(); ++v) {
    const auto value = static_cast<Value>(v);
    if (!typed.known[v]) continue;
    twin.outcome.values[v] = tensors.read(value);
  }
  for (const auto& [value, leaf] : leaves)
    if (leaf.grad().defined()) twin.outcome.gradients[value] = read_array(leaf.grad());
  return twin;
}

}  // namespace

std::variant<Twin, std::string> execute_twin(const Chain& chain, const Typed& typed, const std::vector<Value>& implied_roots) {
  const Plan plan = plan_twin(chain, typed);
  if (!plan.reason.empty()) return plan.reason;
  Cost cost;
  Meter meter(cost, chain.statements.size());
  auto twin = run_twin(chain, typed, implied_roots, plan, meter);
  meter.close();
  if (auto* ran = std::get_if<Twin>(&twin)) ran->outcome.cost = std::move(cost);
  return twin;
}

}  // namespace gradsmith
