// Double backward on LibTorch.
#include "harness/second.hpp"

#include <c10/util/Exception.h>
#include <torch/csrc/autograd/autograd.h>

#include "harness/machine.hpp"

namespace gradsmith {

SecondRun execute_second(const Chain& chain, const std::vector<Value>& implied_roots, const Tangents& along) {
  SecondRun out;
  out.first.resize(chain.names.size());
  out.second.resize(chain.names.size());
  Machine machine(chain.names.size());
  Regions regions;
  std::vector<Value> leaves;
  std::vector<at::Tensor> inputs;
  Phase phase{Phase::Kind::step, 0};
  try {
    for (const auto& statement : chain.statements) {
      if (const auto* step = std::get_if<Step>(&statement)) {
        ++phase.number;
        machine.step(*step);
      } else if (const auto* input = std::get_if<Input>(&statement)) {
        machine[input->name] = make_input(*input);
        if (!input->requires_grad) continue;
        leaves.push_back(input->name);
        inputs.push_back(machine[input->name]);
      } else if (const auto* region = std::get_if<RegionBegin>(&statement)) {
        regions.open(region->kind);
      } else {
        regions.close();
      }
    }
    phase = {Phase::Kind::backward, 1};
    std::vector<at::Tensor> roots;
    for (const Value root : implied_roots) roots.push_back(machine[root]);
    const auto cotangents = make_cotangents(machine, Spec{}, implied_roots);
    const auto gradients = torch::autograd::grad(roots, inputs, cotangents, true, true, true);
    std::vector<at::Tensor> differentiable, directions;
    for (std::size_t k = 0; k < leaves.size(); ++k) {
      if (!gradients[k].defined()) continue;
      out.first[leaves[k]] = read_array(gradients[k].detach());
      if (!gradients[k].requires_grad()) continue;
      differentiable.push_back(gradients[k]);
      directions.push_back(make_tensor(DType::f64, gradients[k].sizes().vec(), along[leaves[k]].data()));
    }
    phase = {Phase::Kind::backward, 2};
    if (differentiable.empty()) return out;
    const auto again = torch::autograd::grad(differentiable, inputs, directions, false, false, true);
    for (std::size_t k = 0; k < leaves.size(); ++k)
      if (again[k].defined()) out.second[leaves[k]] = read_array(again[k]);
  } catch (const c10::Error& error) {
    regions.clear();
    std::string message = error.what_without_backtrace();
    std::string id = classify_error(message);
    out.refusal = Refusal{phase, std::move(id), std::move(message)};
  }
  return out;
}

}  // namespace gradsmith
