#include "harness/execute.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/core/grad_mode.h>
#include <c10/util/Exception.h>
#include <c10/util/Logging.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/variable.h>

#include <functional>
#include <set>

#include "harness/allocator.hpp"
#include "harness/device.hpp"
#include "harness/dispatch.hpp"
#include "harness/judge.hpp"
#include "harness/machine.hpp"
#include "harness/meter.hpp"

namespace gradsmith {
namespace {

void read_outcome(Machine& machine, const Chain& chain, Outcome& outcome);

/// What happens on the side of a run.
struct Aside {
  Meter* meter = nullptr;
  Outcome* read = nullptr;  ///< filled at the end, as a part of the run: a device may say only then what went wrong before
  std::function<void(const Statement&, const Step&)> before{};  ///< told of each step
};

/// Runs the statements one after another; stops at the first refusal unless its `backward` may fail.
std::optional<Refusal> run(Machine& machine, const Chain& chain, const std::vector<Value>& implied_roots,
                           const Aside& aside = {}) {
  Meter* const meter = aside.meter;
  Regions regions;
  Phase phase;
  int steps = 0, backwards = 0;
  const auto backward = [&](const Backward& statement, const std::vector<Value>& roots) {
    phase = {Phase::Kind::backward, ++backwards};
    if (meter) meter->forward_ends([&] { return machine.named_bytes(); });
    std::vector<at::Tensor> cotangents;
    if (statement.cotangent) cotangents = make_cotangents(machine, *statement.cotangent, roots);
    if (meter) meter->before_backward();
    machine.backward(statement, roots, std::move(cotangents));
    if (meter) meter->after_backward();
  };
  const auto refusal = [&](std::string message) {
    regions.clear();
    std::string id = classify_error(message);
    return Refusal{phase, std::move(id), std::move(message)};
  };
  try {
    for (std::size_t i = 0; i < chain.statements.size(); ++i) {
      const auto& statement = chain.statements[i];
      if (const auto* step = std::get_if<Step>(&statement)) {
        phase = {Phase::Kind::step, ++steps};
        if (aside.before) aside.before(statement, *step);
        if (meter) meter->before_step();
        machine.step(*step);
        if (meter) meter->after_step(i);
      } else if (const auto* input = std::get_if<Input>(&statement)) {
        machine[input->name] = make_input(*input);
      } else if (const auto* region = std::get_if<RegionBegin>(&statement)) {
        regions.open(region->kind);
      } else if (std::holds_alternative<RegionEnd>(statement)) {
        regions.close();
      } else {
        const auto& wanted = std::get<Backward>(statement);
        try {
          backward(wanted, wanted.roots);
        } catch (const c10::Error& error) {
          check_device_lives(error);
          if (!wanted.may_fail) throw;
        }
      }
    }
    if (!implied_roots.empty()) backward({.cotangent = Spec{}}, implied_roots);
    if (meter) meter->forward_ends([&] { return machine.named_bytes(); });
    if (aside.read) read_outcome(machine, chain, *aside.read);
  } catch (const c10::Error& error) {
    check_device_lives(error);
    return refusal(error.what_without_backtrace());
  } catch (const std::exception& error) {
    return refusal(error.what());
  }
  return std::nullopt;
}

void read_outcome(Machine& machine, const Chain& chain, Outcome& outcome) {
  outcome.values.resize(chain.names.size());
  outcome.gradients.resize(chain.names.size());
  std::vector<at::Tensor> tensors;
  std::vector<std::optional<Array>*> places;
  const auto wanted = [&](const at::Tensor& tensor, std::optional<Array>& place) {
    if (!tensor.defined()) return;
    tensors.push_back(tensor);
    places.push_back(&place);
  };
  for (std::size_t value = 0; value < chain.names.size(); ++value)
    wanted(machine[static_cast<Value>(value)], outcome.values[value]);
  for (const auto& statement : chain.statements) {
    const auto* input = std::get_if<Input>(&statement);
    if (!input || !input->requires_grad) continue;
    wanted(machine[input->name].grad(), outcome.gradients[input->name]);
  }
  auto arrays = read_arrays(tensors);
  for (std::size_t i = 0; i < arrays.size(); ++i) *places[i] = std::move(arrays[i]);
}

}  // namespace

Outcome execute(const Chain& chain, const std::vector<Value>& implied_roots, Reached* reached) {
  Outcome outcome;
  Meter meter(outcome.cost, chain.statements.size());
  Machine machine(chain.names.size());
  {
    const Watch watch(reached);
    outcome.refusal = run(machine, chain, implied_roots,
                          {.meter = &meter, .read = current_device().is_cpu() ? nullptr : &outcome});
  }
  meter.close();
  if (!outcome.refusal && current_device().is_cpu()) read_outcome(machine, chain, outcome);  // nothing is compared after a refusal
  if (reached) cover_graph(machine.tensors(), *reached);        // last: it reads grad_fn
  return outcome;
}

Cost execute_cost(const Chain& chain) {
  Cost cost;
  Meter meter(cost, chain.statements.size());
  Machine machine(chain.names.size());
  run(machine, chain, {}, {.meter = &meter});
  meter.close();
  return cost;
}

std::vector<std::optional<Layout>> execute_layouts(const Chain& chain) {
  Machine machine(chain.names.size());
  run(machine, chain, {});
  std::vector<std::optional<Layout>> layouts(chain.names.size());
  for (std::size_t value = 0; value < layouts.size(); ++value)
    if (const auto& t = machine[static_cast<Value>(value)]; t.defined()) layouts[value] = layout_of(t);
  return layouts;
}

std::vector<std::map<Value, Operand>> execute_operands(const Chain& chain) {
  Machine machine(chain.names.size());
  std::vector<std::map<Value, Operand>> operands(chain.statements.size());
  const auto before = [&](const Statement& statement, const Step& step) {
    auto& found = operands[static_cast<std::size_t>(&statement - chain.statements.data())];
    for_each_ref(step, [&](Value value) {
      const at::Tensor& tensor = machine[value];
      found.emplace(value, Operand{read_array(tensor).data, at::GradMode::is_enabled() && tensor.requires_grad()});
    });
  };
  run(machine, chain, {}, {.before = before});
  return operands;
}

void execute_bare(const Chain& chain, const std::vector<Value>& implied_roots) {
  Machine machine(chain.names.size());
  run(machine, chain, implied_roots);
}

namespace {
/// Frees what this node and all before it saved, as a backward without retain_graph does: views that an op made for itself too.
void release_saved(torch::autograd::Node* last) {
  std::vector<torch::autograd::Node*> pending{last};
  std::set<torch::autograd::Node*> seen{nullptr};
  while (!pending.empty()) {
    torch::autograd::Node* node = pending.back();
    pending.pop_back();
    if (!seen.insert(node).second) continue;
    for (const auto& edge : node->next_edges()) pending.push_back(edge.function.get());
  }
  seen.erase(nullptr);
  for (torch::autograd::Node* node : seen) node->release_variables();
}
}  // namespace

void execute_severed(const Chain& chain, const std::vector<Value>& implied_roots) {
  Machine machine(chain.names.size());
  run(machine, chain, implied_roots);
  for (const at::Tensor& tensor : machine.tensors())
    if (tensor.defined())
      if (const auto* meta = torch::autograd::impl::get_autograd_meta(tensor)) release_saved(meta->grad_fn_.get());
  for (const at::Tensor& tensor : machine.tensors())
    if (tensor.defined()) tensor.unsafeGetTensorImpl()->set_autograd_meta(nullptr);
}

namespace {
struct Silent : c10::WarningHandler {
  void process(const c10::Warning&) override {}
};
}  // namespace

void initialize_libtorch() {
  use_allocator(Allocator::counting);
  static Silent silent;  // LibTorch warns of some writes to expanded tensors, a line each
  c10::WarningUtils::set_warning_handler(&silent);
  c10::SetStackTraceFetcher([] { return std::string(); });
  at::set_num_threads(1);
  at::globalContext().setFlushDenormal(false);
  at::globalContext().setDeterministicAlgorithms(false, false);
  allow_reduced_precision(false);
}

}  // namespace gradsmith
