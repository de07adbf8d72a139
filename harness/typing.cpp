#include "harness/typing.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/layout.hpp"
#include "harness/ops/family.hpp"
#include "harness/promotion.hpp"
#include "harness/values.hpp"

namespace gradsmith {
namespace {

std::string shape_text(const Shape& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

/// What the kernel of an in-place step checks, in LibTorch's order: attributes (E24) and overlap (E13, E14), which of them
/// first says the op, then shape (E18, E19).
std::string_view inplace_refusal(const Call& call, const std::vector<Value>& values, const Shaped& shaped) {
  const TensorInfo& self = *call.tensors[0];
  const bool onto_itself = call.op->name == "copy" && same_place(self, *call.tensors[1]);  // returns early
  if (shaped.refusal == "E24" && !call.op->memory_first) return shaped.refusal;
  if (!call.op->overlap_unchecked && !onto_itself) {
    if (has_internal_overlap(self.layout)) return "E13";
    for (std::size_t i = 1; i < call.tensors.size(); ++i) {
      const TensorInfo* other = call.tensors[i];
      if (!other || other->storage != self.storage || values[i] == values[0]) continue;
      if (has_partial_overlap(self.layout, other->layout)) return "E14";
    }
  }
  if (!shaped.refusal.empty()) return shaped.refusal;
  if (!shaped.results.empty() && shaped.results[0].layout.shape != self.layout.shape) return "E18";
  return {};
}

}  // namespace

std::optional<std::string> Typer::add(const Chain& chain, const Statement& statement) {
  const auto define = [&](Value value, TensorInfo info, bool known, Value object) {
    if (value == dropped) return;
    if (typed_.values.size() < chain.names.size()) {
      typed_.values.resize(chain.names.size());
      typed_.object.resize(chain.names.size());
      typed_.known.resize(chain.names.size());
    }
    typed_.values[value] = std::move(info);
    typed_.object[value] = object < 0 ? value : object;
    typed_.known[value] = known;
  };
  const auto known = [&](Value value) {
    return value >= 0 && static_cast<std::size_t>(value) < typed_.known.size() && typed_.known[value];
  };

  const bool inference = std::find(regions_.begin(), regions_.end(), 1) != regions_.end();
  if (const auto* input = std::get_if<Input>(&statement)) {
    define(input->name, {input->dtype, input_layout(*input), next_storage_++, inference}, true, -1);
  } else if (const auto* region = std::get_if<RegionBegin>(&statement)) {
    regions_.push_back(region->kind == RegionBegin::Kind::inference);
  } else if (std::holds_alternative<RegionEnd>(statement)) {
    if (regions_.empty()) return "no region is open here";
    regions_.pop_back();
  } else if (const auto* backward = std::get_if<Backward>(&statement)) {
    if (backward->may_fail && !backward->results.empty())
      return "a backward that may fail names no gradients: after a failure they would not exist";
    if (refused_.empty()) {
      for (const Value root : backward->roots)
        if (!known(root)) return fmt::format("{} has no known type here", chain.names[root]);
      if (backward->wrt && !backward->results.empty() && backward->results.size() != backward->wrt->size())
        return fmt::format("backward gives {} gradients, {} names stand before it", backward->wrt->size(),
                           backward->results.size());
    }
    for (std::size_t i = 0; i < backward->results.size(); ++i) {
      const Value of = (*backward->wrt)[i];
      const TensorInfo like = known(of) ? typed_.values[of] : TensorInfo{};
      define(backward->results[i], {like.dtype, contiguous_layout(like.layout.shape), next_storage_++, inference},
             known(of) && refused_.empty(), -1);
    }
  } else if (const auto* step = std::get_if<Step>(&statement)) {
    TypedStep typed;
    const auto give_up = [&] {
      for (const Value result : step->results) define(result, {}, false, -1);
      typed_.steps.push_back(std::move(typed));
    };
    if (!refused_.empty()) {
      give_up();
      return std::nullopt;
    }
    const Op& op = *step->op;
    Call call{&op, step->inplace, Args(step->args), std::vector<const TensorInfo*>(op.params.size(), nullptr)};
    std::vector<Value> values(op.params.size(), dropped);
    typed.operands.resize(op.params.size());
    for (std::size_t i = 0; i < op.params.size(); ++i) {
      if (!call.args.is_tensor(i)) continue;
      const Value value = call.args.tensor(i);
      if (!known(value)) return fmt::format("{} has no known type here", chain.names[value]);
      typed.operands[i] = typed_.values[value];
      call.tensors[i] = &typed.operands[i];
      values[i] = typed_.object[value];
    }
    const Promotion promotion = promote(call);
    if (!promotion.invalid.empty()) return promotion.invalid;
    const ShapeRule rule = layouts_ == Layouts::device && op.shape_on_device ? op.shape_on_device : op.shape;
    Shaped shaped = rule ? rule(call) : ops::elementwise_shape(call);
    if (!shaped.invalid.empty()) return shaped.invalid;
    typed.computes = promotion.computes;
    typed.stores = promotion.stores;
    typed.scalar_in_float = layouts_ == Layouts::cpu && op.scalar_in_float && call.tensors[1] && call.rank(1) == 0 &&
                            call.tensors[1]->dtype != promotion.computes;
    if (promotion.refusal == "E41") {  // looked at before anything else
      typed.kernel_refusal = promotion.refusal;
    } else if (step->inplace) {
      typed.kernel_refusal = inplace_refusal(call, values, shaped);
      if (typed.kernel_refusal.empty()) typed.kernel_refusal = promotion.refusal;
    } else {
      typed.kernel_refusal = shaped.refusal;
    }
    if (!typed.kernel_refusal.empty()) {
      refused_ = typed.kernel_refusal;
      give_up();
      return std::nullopt;
    }
    if (!step->inplace) {
      if (shaped.results.size() != step->results.size())
        return fmt::format("{} gives {} results, {} names stand before it", op.name, shaped.results.size(),
                           step->results.size());
      for (std::size_t k = 0; k < shaped.results.size(); ++k) {
        const ResultInfo& result = shaped.results[k];
        if (element_count(result.layout.shape) > Limits::elements || result.layout.shape.size() > Limits::dimensions)
          return fmt::format("{} would give {}, more than the limit of {} elements and {} dimensions", op.name,
                             shape_text(result.layout.shape), Limits::elements, Limits::dimensions);
        const bool shares = result.view || result.same_object || op.alias == Alias::detach;
        define(step->results[k],
               {promotion.stores, result.layout, shares ? call.tensors[0]->storage : next_storage_++,
                shares ? call.tensors[0]->inference : inference},
               true,
               result.same_object ? typed_.object[call.args.tensor(0)] : -1);
      }
      typed.results = std::move(shaped.results);
    }
    typed_.steps.push_back(std::move(typed));
    return std::nullopt;
  }
  typed_.steps.emplace_back();
  return std::nullopt;
}

std::variant<Typed, Invalid> type_chain(const Chain& chain, Layouts layouts) {
  Typer typer(layouts);
  for (std::size_t i = 0; i < chain.statements.size(); ++i)
    if (auto message = typer.add(chain, chain.statements[i])) return Invalid{i, *message};
  return std::move(typer).typed();
}

}  // namespace gradsmith
