#include <algorithm>
#include <cmath>
#include <map>

#include "harness/reduce_edit.hpp"
#include "harness/typing.hpp"
#include "harness/values.hpp"

namespace gradsmith::reducing {
namespace {

/// What an input takes of the limit on elements, as the parser counts it.
std::int64_t extent(const Input& input) {
  const Layout layout = input_layout(input);
  std::int64_t cells = 1 + layout.offset;
  for (std::size_t d = 0; d < layout.shape.size(); ++d)
    cells += (std::max<std::int64_t>(layout.shape[d], 2) - 1) * layout.strides[d];
  return std::max(cells, element_count(layout.shape));
}

bool valid_input(const Input& input) {
  if (input.requires_grad && !is_floating(input.dtype)) return false;
  if (input.strides && input.strides->size() != input.shape.size()) return false;
  if (input.values.kind != Spec::Kind::list) return true;
  const auto count = static_cast<std::size_t>(element_count(input.shape));
  if (input.values.list.size() != count) return false;
  for (const double value : input.values.list) {
    if (input.dtype == DType::boolean && value != 0 && value != 1) return false;
    if (input.dtype == DType::i64 && value != std::trunc(value)) return false;
  }
  std::map<std::int64_t, double> cells;  // elements that share a cell must be equal
  const auto positions = storage_positions(input_layout(input));
  for (std::size_t i = 0; i < count; ++i) {
    const double value = input.values.list[i];
    const auto [it, fresh] = cells.emplace(positions[i], value);
    const bool same = it->second == value ? std::signbit(it->second) == std::signbit(value) : value != value;
    if (!fresh && !same) return false;
  }
  return true;
}

bool valid_step(const Step& step) {
  const Op& op = *step.op;
  if (step.args.size() != op.params.size()) return false;
  if (step.inplace ? !op.inplace || !step.results.empty() || !std::holds_alternative<Ref>(step.args[0])
                   : (!op.pure && !op.pure_many) || step.results.empty())
    return false;
  for (std::size_t i = 0; i < step.args.size(); ++i) {
    const bool tensor = std::holds_alternative<Ref>(step.args[i]);
    if (tensor && !takes_tensor(op.params[i].kind)) return false;
    if (!tensor && op.params[i].kind == Kind::tensor && !op.params[i].optional) return false;
  }
  return step.inplace || std::any_of(step.results.begin(), step.results.end(), [](Value v) { return v != dropped; });
}

std::int64_t root_elements(const Typed& typed, const Backward& backward) {
  std::int64_t count = 0;
  for (const Value root : backward.roots) count += element_count(typed.values[root].layout.shape);
  return count;
}

/// What the typer does not see to: roots and leaves are floating, an explicit cotangent has the right length.
bool valid_backward(const Typed& typed, const Backward& backward) {
  const auto floating = [&](Value value) { return !typed.known[value] || is_floating(typed.values[value].dtype); };
  const auto known = [&](Value value) { return static_cast<bool>(typed.known[value]); };
  if (!std::all_of(backward.roots.begin(), backward.roots.end(), floating)) return false;
  if (backward.wrt && !std::all_of(backward.wrt->begin(), backward.wrt->end(), floating)) return false;
  if (!backward.cotangent || backward.cotangent->kind != Spec::Kind::list) return true;
  if (!std::all_of(backward.roots.begin(), backward.roots.end(), known)) return true;
  return static_cast<std::int64_t>(backward.cotangent->list.size()) == root_elements(typed, backward);
}

bool names_in_order(const Chain& chain) {
  std::vector<bool> defined(chain.names.size(), false);
  bool good = chain.statements.size() <= Limits::statements;
  int depth = 0;
  std::int64_t elements = 0;
  for (Statement statement : chain.statements) {
    for_each_use(statement, [&](Value& value) { good = good && value >= 0 && defined[value]; });
    for (const Value value : definitions(statement)) {
      if (value == dropped) continue;
      good = good && !defined[value];
      defined[value] = true;
    }
    if (const auto* input = std::get_if<Input>(&statement)) {
      good = good && depth == 0 && valid_input(*input);
      good = good && (elements += extent(*input)) <= Limits::elements;
    }
    if (const auto* step = std::get_if<Step>(&statement)) good = good && valid_step(*step);
    if (const auto* backward = std::get_if<Backward>(&statement)) {
      good = good && !backward->roots.empty() && (!backward->wrt || !backward->wrt->empty());
      good =
          good && (backward->results.empty() || (backward->wrt && backward->results.size() == backward->wrt->size()));
    }
    if (std::holds_alternative<RegionBegin>(statement)) ++depth;
    if (std::holds_alternative<RegionEnd>(statement)) good = good && --depth >= 0;
    if (!good) return false;
  }
  return depth == 0;
}

/// Other attributes of a step, nearest first: what may make it fit its operands again.
std::vector<Step> alternatives(const Step& step, const Typed& typed) {
  std::vector<Step> out;
  const auto with = [&](std::size_t i, Argument arg) {
    out.push_back(step);
    out.back().args[i] = std::move(arg);
  };
  for (std::size_t i = 0; i < step.args.size(); ++i) {
    if (const auto* number = std::get_if<double>(&step.args[i]); number && step.op->params[i].kind == Kind::integer) {
      for (const double other : {*number - 1, 0.0, 1.0, static_cast<double>(static_cast<std::int64_t>(*number / 2))})
        if (other != *number) with(i, other);
    } else if (const auto* list = std::get_if<std::vector<double>>(&step.args[i])) {
      for (std::size_t k = 0; k < list->size(); ++k) {  // without one dimension: also of a permutation
        std::vector<double> less = *list;
        less.erase(less.begin() + static_cast<std::ptrdiff_t>(k));
        with(i, less);
        for (double& entry : less) entry -= entry > (*list)[k];
        with(i, less);
      }
      for (std::size_t k = 0; k < list->size(); ++k) {
        std::vector<double> one = *list;
        one[k] = 1;
        with(i, one);
      }
      if (const auto* self = std::get_if<Ref>(&step.args[0])) {
        const Shape& shape = typed.values[self->value].layout.shape;
        with(i, std::vector<double>(shape.begin(), shape.end()));
      }
      with(i, std::vector<double>{-1});
    }
  }
  return out;
}

}  // namespace

bool valid(const Chain& chain) {
  if (!names_in_order(chain)) return false;
  const auto typed = type_chain(chain);
  if (!std::holds_alternative<Typed>(typed)) return false;
  for (const Statement& statement : chain.statements)
    if (const auto* backward = std::get_if<Backward>(&statement))
      if (!valid_backward(std::get<Typed>(typed), *backward)) return false;
  return true;
}

bool mend(Chain& chain) {
  if (!names_in_order(chain)) return false;
  Typer typer;
  for (std::size_t i = 0; i < chain.statements.size(); ++i) {
    if (auto* backward = std::get_if<Backward>(&chain.statements[i]); backward && typer.refused().empty())
      if (backward->cotangent && backward->cotangent->kind == Spec::Kind::list &&
          static_cast<std::int64_t>(backward->cotangent->list.size()) != root_elements(typer.typed(), *backward))
        backward->cotangent = Spec{};
    const bool refused = !typer.refused().empty();
    Typer before = typer;
    if (!typer.add(chain, chain.statements[i]) && (refused || typer.refused().empty())) continue;
    // Either no program any more, or one that its kernel refuses: both may come from an attribute that no longer fits.
    const bool refusable = !typer.refused().empty();
    const auto* step = std::get_if<Step>(&chain.statements[i]);
    if (!step) return false;
    bool done = false;
    for (Step& other : alternatives(*step, before.typed())) {
      Typer trial = before;
      if (trial.add(chain, other) || !trial.refused().empty()) continue;
      chain.statements[i] = std::move(other);
      typer = std::move(trial);
      done = true;
      break;
    }
    if (done || refusable) continue;
    for (Step fewer = *step; !done && fewer.results.size() > 1;) {  // split gives fewer pieces
      const Value gone = fewer.results.back();
      fewer.results.pop_back();
      if (fewer.results[0] == dropped) return false;
      if (gone != dropped) substitute(chain, i + 1, gone, fewer.results[0]);
      Typer trial = before;
      if (trial.add(chain, fewer)) continue;
      chain.statements[i] = fewer;
      typer = std::move(trial);
      done = true;
    }
    if (!done) return false;
  }
  return true;
}

}  // namespace gradsmith::reducing
