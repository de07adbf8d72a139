#include "harness/execute.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/core/grad_mode.h>
#include <c10/util/Exception.h>
#include <c10/util/Logging.h>

#include "harness/dispatch.hpp"
#include "harness/judge.hpp"
#include "harness/machine.hpp"

namespace gradsmith {
namespace {

/// Runs the statements one after another; stops at the first refusal unless its `backward` may fail. `before` is told of
/// each step.
template <class Before>
std::optional<Refusal> run(Machine& machine, const Chain& chain, const std::vector<Value>& implied_roots, Before before) {
  Regions regions;
  Phase phase;
  int steps = 0, backwards = 0;
  const auto backward = [&](const Backward& statement, const std::vector<Value>& roots) {
    phase = {Phase::Kind::backward, ++backwards};
    std::vector<at::Tensor> cotangents;
    if (statement.cotangent) cotangents = make_cotangents(machine, *statement.cotangent, roots);
    machine.backward(statement, roots, std::move(cotangents));
  };
  const auto refusal = [&](std::string message) {
    regions.clear();
    std::string id = classify_error(message);
    return Refusal{phase, std::move(id), std::move(message)};
  };
  try {
    for (const auto& statement : chain.statements) {
      if (const auto* step = std::get_if<Step>(&statement)) {
        phase = {Phase::Kind::step, ++steps};
        before(statement, *step);
        machine.step(*step);
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
        } catch (const c10::Error&) {
          if (!wanted.may_fail) throw;
        }
      }
    }
    if (!implied_roots.empty()) backward({.cotangent = Spec{}}, implied_roots);
  } catch (const c10::Error& error) {
    return refusal(error.what_without_backtrace());
  } catch (const std::exception& error) {
    return refusal(error.what());
  }
  return std::nullopt;
}

std::optional<Refusal> run(Machine& machine, const Chain& chain, const std::vector<Value>& implied_roots) {
  return run(machine, chain, implied_roots, [](const Statement&, const Step&) {});
}

void read_outcome(Machine& machine, const Chain& chain, Outcome& outcome) {
  outcome.values.resize(chain.names.size());
  outcome.gradients.resize(chain.names.size());
  for (std::size_t value = 0; value < chain.names.size(); ++value)
    if (machine[static_cast<Value>(value)].defined())
      outcome.values[value] = read_array(machine[static_cast<Value>(value)]);
  for (const auto& statement : chain.statements) {
    const auto* input = std::get_if<Input>(&statement);
    if (!input || !input->requires_grad) continue;
    const at::Tensor& gradient = machine[input->name].grad();
    if (gradient.defined()) outcome.gradients[input->name] = read_array(gradient);
  }
}

}  // namespace

Outcome execute(const Chain& chain, const std::vector<Value>& implied_roots, Reached* reached) {
  Machine machine(chain.names.size());
  Outcome outcome;
  {
    const Watch watch(reached);
    outcome.refusal = run(machine, chain, implied_roots);
  }
  if (!outcome.refusal) read_outcome(machine, chain, outcome);  // nothing is compared after a refusal
  if (reached) cover_graph(machine.tensors(), *reached);        // last: it reads grad_fn
  return outcome;
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
  run(machine, chain, {}, [&](const Statement& statement, const Step& step) {
    auto& found = operands[static_cast<std::size_t>(&statement - chain.statements.data())];
    for_each_ref(step, [&](Value value) {
      const at::Tensor& tensor = machine[value];
      found.emplace(value, Operand{read_array(tensor).data, at::GradMode::is_enabled() && tensor.requires_grad()});
    });
  });
  return operands;
}

void execute_bare(const Chain& chain, const std::vector<Value>& implied_roots) {
  Machine machine(chain.names.size());
  run(machine, chain, implied_roots);
}

void execute_severed(const Chain& chain, const std::vector<Value>& implied_roots) {
  Machine machine(chain.names.size());
  run(machine, chain, implied_roots);
  for (const at::Tensor& tensor : machine.tensors())
    if (tensor.defined()) tensor.unsafeGetTensorImpl()->set_autograd_meta(nullptr);
}

namespace {
struct Silent : c10::WarningHandler {
  void process(const c10::Warning&) override {}
};
}  // namespace

void initialize_libtorch() {
  static Silent silent;  // LibTorch warns of some writes to expanded tensors, a line each
  c10::WarningUtils::set_warning_handler(&silent);
  c10::SetStackTraceFetcher([] { return std::string(); });
  at::set_num_threads(1);
  at::globalContext().setFlushDenormal(false);
  at::globalContext().setDeterministicAlgorithms(false, false);
}

}  // namespace gradsmith
