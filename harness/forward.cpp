// Forward-mode AD on LibTorch: a chain on dual tensors.
#include "harness/forward.hpp"

#include <ATen/ops/_make_dual.h>
#include <c10/util/Exception.h>
#include <torch/csrc/autograd/autograd.h>

#include "harness/machine.hpp"
#include "harness/values.hpp"

namespace gradsmith {
namespace {

/// One level at a time is all there is (E39); leaving it takes every tangent away.
class DualLevel {
 public:
  DualLevel() : level_(torch::autograd::forward_ad::enter_dual_level()) {}
  DualLevel(const DualLevel&) = delete;
  DualLevel& operator=(const DualLevel&) = delete;
  ~DualLevel() { torch::autograd::forward_ad::exit_dual_level(level_); }
  std::int64_t number() const { return static_cast<std::int64_t>(level_); }

 private:
  std::uint64_t level_;
};

/// The input with its tangent, laid out alike.
at::Tensor make_dual(const Input& input, const std::vector<double>& along, const DualLevel& level) {
  Input plain = input;
  plain.requires_grad = false;
  const at::Tensor primal = make_input(plain);
  if (!input.requires_grad) return primal;
  const Layout layout = input_layout(input);
  const auto positions = storage_positions(layout);
  std::vector<double> storage(input_storage(input).size());
  for (std::size_t e = 0; e < positions.size(); ++e) storage[positions[e]] = along[e];
  const at::Tensor tangent = make_tensor(input.dtype, {static_cast<std::int64_t>(storage.size())}, storage.data());
  lay_out(tangent, layout);
  return at::_make_dual(primal, tangent, level.number());
}

}  // namespace

ForwardRun execute_forward(const Chain& chain, const Typed& typed, const std::vector<Value>& implied_roots,
                           std::size_t statements, const Outcome& plain, const Tangents& along) {
  ForwardRun out;
  const DualLevel level;  // outlives the tensors
  Machine machine(chain.names.size());
  Regions regions;
  int steps = 0;
  const auto tangent_of = [&](Value value) -> std::optional<Array> {
    const at::Tensor& tangent = machine[value]._fw_grad(static_cast<std::uint64_t>(level.number()));
    return tangent.defined() ? std::optional(read_array(tangent)) : std::nullopt;
  };
  const auto add_product = [&](const std::optional<Spec>& cotangent, const std::vector<Value>& roots) {
    const auto weights = seeds(cotangent, roots, typed);
    long double sum = out.product;
    for (std::size_t r = 0; r < roots.size(); ++r)
      if (const auto tangent = tangent_of(roots[r]))
        for (std::size_t e = 0; e < weights[r].size(); ++e)
          sum += static_cast<long double>(weights[r][e]) * tangent->data[e];
    out.product = static_cast<double>(sum);
  };
  try {
    for (std::size_t i = 0; i < statements; ++i) {
      const Statement& statement = chain.statements[i];
      if (const auto* step = std::get_if<Step>(&statement)) {
        ++steps;
        machine.step(*step);
      } else if (const auto* input = std::get_if<Input>(&statement)) {
        machine[input->name] = make_dual(*input, along[input->name], level);
      } else if (const auto* region = std::get_if<RegionBegin>(&statement)) {
        regions.open(region->kind);
      } else if (std::holds_alternative<RegionEnd>(statement)) {
        regions.close();
      } else {
        const Backward& backward = std::get<Backward>(statement);
        if (!backward.wrt) add_product(backward.cotangent, backward.roots);
        for (const Value result : backward.results)
          if (result != dropped) {
            const Array& gradient = *plain.values[result];
            machine[result] = make_tensor(gradient.dtype, gradient.shape, gradient.data.data());
          }
      }
    }
    if (!implied_roots.empty()) add_product(Spec{}, implied_roots);
  } catch (const c10::Error& error) {
    regions.clear();
    std::string message = error.what_without_backtrace();
    std::string id = classify_error(message);
    out.refusal = Refusal{{Phase::Kind::step, steps}, std::move(id), std::move(message)};
    return out;
  }
  regions.clear();  // a refused `backward` may stand in one, and inference mode shows no tangents
  out.values.resize(chain.names.size());
  out.tangents.resize(chain.names.size());
  for (std::size_t v = 0; v < chain.names.size(); ++v) {
    const auto value = static_cast<Value>(v);
    if (!machine[value].defined()) continue;
    out.values[v] = read_array(machine[value]);
    out.tangents[v] = tangent_of(value);
  }
  return out;
}

}  // namespace gradsmith
