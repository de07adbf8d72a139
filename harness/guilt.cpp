#include "harness/guilt.hpp"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <memory>

#include "harness/compare.hpp"
#include "harness/machine.hpp"
#include "harness/reference.hpp"

namespace gradsmith {
namespace {

/// The tensor a step leaves something in: its target, or its first named result.
Value product_of(const Step& step) {
  if (step.inplace) return Args(step.args).tensor(0);
  for (const Value result : step.results)
    if (result != dropped) return result;
  return dropped;
}

bool is_view_step(const Step& step, const TypedStep& typed) {
  return step.op->alias == Alias::detach || (!typed.results.empty() && (typed.results[0].view || typed.results[0].same_object));
}

bool agrees(const std::vector<double>& observed, const std::optional<Spread>& expected) {
  return expected && observed.size() == expected->value.size() &&
         compare(observed, *expected, roundoff_of(*expected)).ratio <= Tolerance{}.k;
}

/// By statement, with as many replicas as the witness had that made the finding; `once` runs the reference with one noise.
using Expected = std::vector<std::optional<Spread>>;
template <class Once>
Expected by_all_replicas(Once once) {
  Expected out = once(0);
  for (int i = 1; i <= Tolerance{}.more_replicas; ++i) widen(out, once(static_cast<std::uint64_t>(i)));
  return out;
}

/// Cotangents that arrive at each statement's product (or leaf), summed over all backwards, as LibTorch computes them.
std::vector<std::shared_ptr<std::vector<double>>> observed_cotangents(const Chain& chain, const Typed& typed,
                                                                     const std::vector<Value>& implied_roots) {
  std::vector<std::shared_ptr<std::vector<double>>> observed(chain.statements.size());
  Machine machine(chain.names.size());
  Regions regions;
  const auto watch = [&](std::size_t statement, at::Tensor& tensor) {
    if (!tensor.requires_grad()) return;
    auto sum = std::make_shared<std::vector<double>>(tensor.numel(), 0.0);
    observed[statement] = sum;
    const auto add = [sum](const at::Tensor& gradient) {
      const Array array = read_array(gradient);
      for (std::size_t e = 0; e < array.data.size() && e < sum->size(); ++e) (*sum)[e] += array.data[e];
    };
    if (!tensor.is_view()) {
      tensor.register_hook([add](const at::Tensor& gradient) { add(gradient); });
      return;
    }
    // What arrives at a view comes through its base as well: watch the base, look at the view's place.
    const at::Tensor base(tensor._base());
    const auto sizes = tensor.sizes().vec(), strides = tensor.strides().vec();
    const auto offset = tensor.storage_offset() - base.storage_offset();
    const auto base_sizes = base.sizes().vec(), base_strides = base.strides().vec();
    base.register_hook([=](const at::Tensor& gradient) {
      at::NoGradGuard off;
      at::Tensor laid_out = at::empty_strided(base_sizes, base_strides, gradient.options());
      laid_out.copy_(gradient);
      add(laid_out.as_strided(sizes, strides, offset));
    });
  };
  try {
    for (std::size_t i = 0; i < chain.statements.size(); ++i) {
      const auto& statement = chain.statements[i];
      if (const auto* input = std::get_if<Input>(&statement)) {
        machine[input->name] = make_input(*input);
        watch(i, machine[input->name]);
      } else if (const auto* region = std::get_if<RegionBegin>(&statement)) {
        regions.open(region->kind);
      } else if (std::holds_alternative<RegionEnd>(statement)) {
        regions.close();
      } else if (const auto* backward = std::get_if<Backward>(&statement)) {
        std::vector<at::Tensor> cotangents;
        if (backward->cotangent) cotangents = make_cotangents(machine, *backward->cotangent, backward->roots);
        machine.backward(*backward, backward->roots, cotangents);
      } else {
        const Step& step = std::get<Step>(statement);
        machine.step(step);
        const Value product = product_of(step);
        if (product != dropped && !is_view_step(step, typed.steps[i]) && at::GradMode::is_enabled())
          watch(i, machine[product]);
      }
    }
    if (!implied_roots.empty())
      machine.backward({.cotangent = Spec{}}, implied_roots, make_cotangents(machine, Spec{}, implied_roots));
  } catch (const c10::Error&) {
    // Watching can itself be refused (reading grad_fn of a stale view): what was seen until then has to do.
  }
  return observed;
}

/// The same cotangents by the reference.
Expected expected_cotangents(const Chain& chain, const Typed& typed, const std::vector<Value>& implied_roots,
                             std::uint64_t noise) {
  Evaluator evaluator(noise, floating_type(chain));
  std::vector<DType> types(chain.statements.size(), DType::f64);
  std::vector<std::vector<int>> nodes(chain.statements.size());
  std::vector<std::vector<Lanes>> sums(chain.statements.size());
  const auto sweep = [&](const Backward& statement, const std::vector<Value>& roots) {
    const auto adjoint = evaluator.sweep(roots, seeds(statement.cotangent, roots, typed));
    if (statement.wrt) evaluator.bind_gradients(statement, adjoint);
    for (std::size_t i = 0; i < nodes.size(); ++i)
      for (std::size_t e = 0; e < nodes[i].size(); ++e)
        if (nodes[i][e] >= 0) sums[i][e] = sums[i][e] + adjoint[nodes[i][e]];
  };
  for (std::size_t i = 0; i < chain.statements.size(); ++i) {
    const auto& statement = chain.statements[i];
    evaluator.add(statement, typed);
    Value product = dropped;
    if (const auto* input = std::get_if<Input>(&statement)) product = input->name;
    if (const auto* step = std::get_if<Step>(&statement)) product = product_of(*step);
    if (const auto* backward = std::get_if<Backward>(&statement)) sweep(*backward, backward->roots);
    if (product == dropped) continue;
    types[i] = typed.values[product].dtype;
    for (const Var& v : evaluator.read(product)) nodes[i].push_back(v.node);
    sums[i].resize(nodes[i].size());
  }
  if (!implied_roots.empty()) sweep({.cotangent = Spec{}}, implied_roots);
  Expected out;
  for (std::size_t i = 0; i < sums.size(); ++i) out.emplace_back(spread_of(sums[i], types[i]));
  return out;
}

/// What each step leaves in its product, up to the first `backward`.
Expected expected_products(const Chain& chain, const Typed& typed, std::uint64_t noise) {
  Evaluator evaluator(noise, floating_type(chain));
  Expected out(chain.statements.size());
  for (std::size_t i = 0; i < chain.statements.size(); ++i) {
    if (std::holds_alternative<Backward>(chain.statements[i])) break;
    evaluator.add(chain.statements[i], typed);
    const auto* step = std::get_if<Step>(&chain.statements[i]);
    if (const Value product = step ? product_of(*step) : dropped; product != dropped)
      out[i] = spread_of(evaluator.lanes(product), typed.values[product].dtype);
  }
  return out;
}

}  // namespace

std::string form_of(const Step& step) { return std::string(step.op->name) + (step.inplace ? "_" : ""); }

std::string guilty_of_value(const Chain& chain, const Typed& typed) {
  Machine machine(chain.names.size());
  Regions regions;
  const Expected expected =
      by_all_replicas([&](std::uint64_t noise) { return expected_products(chain, typed, noise); });
  try {
    for (std::size_t i = 0; i < chain.statements.size(); ++i) {
      const auto& statement = chain.statements[i];
      if (const auto* input = std::get_if<Input>(&statement)) {
        machine[input->name] = make_input(*input);
      } else if (const auto* region = std::get_if<RegionBegin>(&statement)) {
        regions.open(region->kind);
      } else if (std::holds_alternative<RegionEnd>(statement)) {
        regions.close();
      } else if (const auto* step = std::get_if<Step>(&statement)) {
        machine.step(*step);
        const Value product = product_of(*step);
        if (product == dropped) continue;
        if (!agrees(read_array(machine[product]).data, expected[i])) return form_of(*step);
      } else {
        return {};  // gradients with names of their own are not followed
      }
    }
  } catch (const c10::Error&) {
  }
  return {};
}

std::vector<Accused> accused_of_gradient(const Chain& chain, const Typed& typed, const std::vector<Value>& implied_roots) {
  const auto observed = observed_cotangents(chain, typed, implied_roots);
  const auto once = [&](std::uint64_t noise) { return expected_cotangents(chain, typed, implied_roots, noise); };
  // Who last wrote each storage, statement by statement.
  std::vector<std::vector<std::size_t>> sources(chain.statements.size());
  std::vector<std::ptrdiff_t> writer;
  const auto set_writer = [&](Value value, std::size_t i) {
    const auto storage = static_cast<std::size_t>(typed.values[value].storage);
    if (writer.size() <= storage) writer.resize(storage + 1, -1);
    writer[storage] = static_cast<std::ptrdiff_t>(i);
  };
  for (std::size_t i = 0; i < chain.statements.size(); ++i) {
    const auto& statement = chain.statements[i];
    if (const auto* input = std::get_if<Input>(&statement)) set_writer(input->name, i);
    const auto* step = std::get_if<Step>(&statement);
    if (!step) continue;
    for_each_ref(*step, [&](Value value) {
      const auto w = writer[typed.values[value].storage];
      if (w >= 0) sources[i].push_back(static_cast<std::size_t>(w));
    });
    if (is_view_step(*step, typed.steps[i])) continue;
    if (const Value product = product_of(*step); product != dropped) set_writer(product, i);
  }
  // Where a wrong gradient arrives last in the chain it is from no step that got a wrong one itself.
  const auto accuse = [&](const Expected& expected) {
    std::optional<std::size_t> wronged;
    std::vector<Accused> accused;
    for (std::size_t i = chain.statements.size(); i-- > 0 && !wronged;)
      if (observed[i] && !agrees(*observed[i], expected[i])) wronged = i;
    for (std::size_t i = chain.statements.size(); wronged && i-- > *wronged + 1;) {
      const auto* step = std::get_if<Step>(&chain.statements[i]);
      if (!step || is_view_step(*step, typed.steps[i]) || !observed[i]) continue;
      if (std::find(sources[i].begin(), sources[i].end(), *wronged) != sources[i].end())
        accused.push_back({i, expected[i]->value});
    }
    return accused;
  };
  if (auto accused = accuse(by_all_replicas(once)); !accused.empty()) return accused;
  return accuse(once(0));  // what departs at the border of what replicas do may be within that of these
}

}  // namespace gradsmith
