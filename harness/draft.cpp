#include "harness/draft.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gradsmith {

const Extent& Draft::extent(Value value) {
  const auto count = static_cast<std::size_t>(value) + 1;
  if (extents_.size() < count) {
    extents_.resize(count);
    extent_writes_.resize(count, -1);
  }
  const auto storage = static_cast<std::size_t>(info(value).storage);
  if (writes_.size() <= storage) writes_.resize(storage + 1);
  Extent& extent = extents_[value];
  if (extent_writes_[value] == writes_[storage]) return extent;
  extent_writes_[value] = writes_[storage];
  const Typed& typed = typer_.typed();
  for (; evaluated_ < chain_.statements.size(); ++evaluated_) {
    evaluator_.add(chain_.statements[evaluated_], typed);
    const auto* backward = std::get_if<Backward>(&chain_.statements[evaluated_]);
    if (!backward) continue;
    for (const Value gradient : backward->results)  // not known here; a chain that is extended may go on with them
      if (gradient != dropped)
        evaluator_.bind(gradient, std::vector<Lanes>(
                                      static_cast<std::size_t>(element_count(typed.values[gradient].layout.shape)), 0.5));
  }
  constexpr double infinity = std::numeric_limits<double>::infinity();
  extent = {infinity, -infinity, infinity, true};
  for (const Var& element : evaluator_.read(value)) {
    const double x = element.exact();
    extent.finite &= std::isfinite(x);
    extent.lo = std::min(extent.lo, x);
    extent.hi = std::max(extent.hi, x);
    extent.nearest = std::min(extent.nearest, std::fabs(x));
  }
  return extent;
}

Value Draft::name_input() {
  std::size_t inputs = 0;
  for (const auto& name : chain_.names) inputs += name[0] != 'v';
  std::string name(1, static_cast<char>('a' + inputs % 21));  // up to u: v is for results
  if (inputs >= 21) name += std::to_string(inputs / 21);
  chain_.names.push_back(std::move(name));
  return values() - 1;
}

Value Draft::name_result() {
  std::size_t results = 1;
  for (const auto& name : chain_.names) results += name[0] == 'v';
  chain_.names.push_back("v" + std::to_string(results));
  return values() - 1;
}

Fate Draft::put(Statement statement) {
  chain_.statements.push_back(std::move(statement));
  const Statement& last = chain_.statements.back();
  if (typer_.add(chain_, last)) {
    chain_.statements.pop_back();
    chain_.names.resize(origins_.size());
    return Fate::invalid;
  }
  model_.add(last, typer_.typed());
  note(last);
  return model_.expectation().refusal ? Fate::refused : Fate::fine;
}

void Draft::note(const Statement& statement) {
  origins_.resize(chain_.names.size());
  if (const auto* region = std::get_if<RegionBegin>(&statement)) regions_.push_back(region->kind);
  if (std::holds_alternative<RegionEnd>(statement)) regions_.pop_back();
  if (const auto* backward = std::get_if<Backward>(&statement))
    for (const Value result : backward->results) origins_[result].gradient = true;
  const auto* step = std::get_if<Step>(&statement);
  if (!step) return;
  const Ref* self = step->args.empty() ? nullptr : std::get_if<Ref>(&step->args[0]);
  if (step->inplace) {
    if (!self) return;
    const auto storage = static_cast<std::size_t>(info(self->value).storage);
    if (writes_.size() <= storage) writes_.resize(storage + 1);
    ++writes_[storage];
    return;
  }
  for (const Value result : step->results) {
    if (result == dropped) continue;
    DraftOrigin& origin = origins_[result];
    if (self && typer_.typed().known[result] && info(result).storage == info(self->value).storage) {
      origin = origins_[self->value];
      if (step->op->alias == Alias::detach) origin.view = false;
      else origin.view |= object(result) == result;
      origin.multi |= step->op->alias == Alias::multi_view;
      origin.quiet |= !regions_.empty();
    } else {
      origin.inference = inference_mode();
    }
  }
}

void Draft::cut(const Mark& mark) {
  if (mark.statements == chain_.statements.size()) {
    chain_.names.resize(mark.names);
    return;
  }
  chain_.statements.resize(mark.statements);
  chain_.names.resize(mark.names);
  std::erase_if(buried_, [&](Value value) { return value >= values(); });
  replay(mark.statements);
}

void Draft::replay(std::size_t count) {
  typer_ = Typer();
  model_ = Model();
  origins_.clear();
  regions_.clear();
  std::fill(writes_.begin(), writes_.end(), 0);
  extent_writes_.assign(extent_writes_.size(), -1);
  if (evaluated_ > count) {
    evaluator_ = Evaluator(0, dtype_);
    evaluated_ = 0;
  }
  for (std::size_t i = 0; i < count; ++i) {
    typer_.add(chain_, chain_.statements[i]);
    model_.add(chain_.statements[i], typer_.typed());
    note(chain_.statements[i]);
  }
}

std::vector<Value> Draft::roots() const {
  std::vector<Value> out = model_.implied_roots();
  std::erase_if(out, [&](Value root) { return std::find(buried_.begin(), buried_.end(), root) != buried_.end(); });
  return out;
}

bool Draft::poisoned() const { return model_.backward_would_refuse(roots()).has_value(); }

void Draft::bury() {
  for (const Value root : roots())
    if (model_.backward_would_refuse({root})) buried_.push_back(root);
}

Chain Draft::close() {
  for (; !regions_.empty(); regions_.pop_back()) chain_.statements.push_back(RegionEnd{});
  return std::move(chain_);
}

bool Draft::inference_mode() const {
  return std::find(regions_.begin(), regions_.end(), RegionBegin::Kind::inference) != regions_.end();
}

Value Draft::base(Value value) const {
  Value first = 0;
  while (info(first).storage != info(value).storage) ++first;
  return first;
}

bool Draft::shared(Value value) const {
  for (Value other = 0; other < values(); ++other)
    if (other != value && typer_.typed().known[other] && info(other).storage == info(value).storage) return true;
  return false;
}

}  // namespace gradsmith
