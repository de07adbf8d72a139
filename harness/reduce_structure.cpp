// Passes that drop statements: truncation, regions, steps, inputs, `backward` and what it need not say.
#include <algorithm>
#include <array>

#include "harness/probe.hpp"
#include "harness/reduce_edit.hpp"
#include "harness/typing.hpp"

namespace gradsmith::reducing {
namespace {

template <class Kind>
bool is(const Statement& statement) {
  return std::holds_alternative<Kind>(statement);
}

/// One step alone, on the values it has in the chain, last first; then with what else may bring a fault of it to light.
void isolate_steps(const Chain& chain, Offer& offer) {
  const auto typed = type_chain(chain);
  if (!std::holds_alternative<Typed>(typed)) return;
  std::vector<Chain> isolated;
  for (std::size_t i = chain.statements.size(); i-- > 0;)
    if (is<Step>(chain.statements[i]))
      if (auto alone = isolate(chain, std::get<Typed>(typed), i)) isolated.push_back(*std::move(alone));
  for (const Chain& alone : isolated)
    if (offer(alone)) return;
  for (const Chain& alone : isolated)
    for (const Chain& probe : probes(alone))
      if (offer(probe)) return;
}

/// Ends the chain early, shortest first (halving while there is much to cut). Open regions are closed.
void truncate(const Chain& chain, Offer& offer) {
  const std::size_t n = chain.statements.size();
  for (std::size_t keep = n > 32 ? n / 2 : 1; keep<n; keep += n - keep> 32 ? (n - keep) / 2 : 1) {
    Chain shorter{
        chain.names, {chain.statements.begin(), chain.statements.begin() + static_cast<std::ptrdiff_t>(keep)}, {}};
    int open = 0;
    for (const Statement& statement : shorter.statements) open += is<RegionBegin>(statement) - is<RegionEnd>(statement);
    for (; open > 0; --open) shorter.statements.emplace_back(RegionEnd{});
    if (offer(shorter)) return;
  }
}

/// Whole regions, then their brackets alone.
void drop_regions(const Chain& chain, Offer& offer) {
  for (const bool content : {true, false})
    for (std::size_t i = 0; i < chain.statements.size(); ++i) {
      if (!is<RegionBegin>(chain.statements[i])) continue;
      const std::size_t end = region_end(chain, i);
      std::vector<bool> drop(chain.statements.size(), false);
      drop[i] = drop[end] = true;
      if (content)
        std::fill(drop.begin() + static_cast<std::ptrdiff_t>(i), drop.begin() + static_cast<std::ptrdiff_t>(end), true);
      if (offer.mended(without(chain, drop))) return;
    }
}

/// Steps and `backward` statements in chunks that halve, last first; single ones forward each of their operands.
void drop_statements(const Chain& chain, Offer& offer) {
  std::vector<std::size_t> items;
  for (std::size_t i = 0; i < chain.statements.size(); ++i)
    if (is<Step>(chain.statements[i]) || is<Backward>(chain.statements[i])) items.push_back(i);
  for (std::size_t size = items.size(); size > 0; size /= 2)
    for (std::size_t end = items.size(); end > 0; end -= std::min(size, end)) {
      std::vector<bool> drop(chain.statements.size(), false);
      for (std::size_t k = end - std::min(size, end); k < end; ++k) drop[items[k]] = true;
      const std::size_t operands = size == 1 ? 3 : 1;
      for (std::size_t operand = 0; operand < operands; ++operand)
        if (offer.mended(without(chain, drop, operand))) return;
    }
}

/// Every `backward` at once: the implied one may do.
void drop_backwards(const Chain& chain, Offer& offer) {
  std::vector<bool> drop;
  for (const Statement& statement : chain.statements) drop.push_back(is<Backward>(statement));
  offer(without(chain, drop));
}

/// A step gives way to an input like its result: what computed its operands can then go.
void cut_off(const Chain& chain, Offer& offer) {
  const auto typed = type_chain(chain);
  if (!std::holds_alternative<Typed>(typed)) return;
  const Typed& types = std::get<Typed>(typed);
  for (std::size_t i = chain.statements.size(); i-- > 0;) {
    const auto* step = std::get_if<Step>(&chain.statements[i]);
    if (!step || step->results.size() != 1 || !types.known[step->results[0]]) continue;
    const TensorInfo& info = types.values[step->results[0]];
    for (const bool requires_grad : {false, true})
      for (const Spec& values : {Spec{}, Spec{.kind = Spec::Kind::uniform, .lo = 0.5, .hi = 2}}) {
        Chain cut = chain;
        cut.statements.erase(cut.statements.begin() + static_cast<std::ptrdiff_t>(i));
        const Input input{.name = step->results[0],
                          .dtype = info.dtype,
                          .shape = info.layout.shape,
                          .requires_grad = requires_grad,
                          .values = values};
        const auto rest = std::find_if_not(cut.statements.begin(), cut.statements.end(), is<Input>);
        cut.statements.insert(rest, input);
        if (offer(cut)) return;
      }
  }
}

/// Inputs nobody uses, all at once and singly.
void drop_inputs(const Chain& chain, Offer& offer) {
  const auto counts = use_counts(chain);
  std::vector<bool> unused(chain.statements.size(), false);
  for (std::size_t i = 0; i < unused.size(); ++i)
    if (const auto* input = std::get_if<Input>(&chain.statements[i])) unused[i] = counts[input->name] == 0;
  if (offer(without(chain, unused))) return;
  for (std::size_t i = unused.size(); i-- > 0;) {
    if (!unused[i]) continue;
    std::vector<bool> one(unused.size(), false);
    one[i] = true;
    if (offer(without(chain, one))) return;
  }
}

/// Names of several results that nobody uses become `_`, last first; the names left move to the front.
void drop_names(const Chain& chain, Offer& offer) {
  const auto counts = use_counts(chain);
  for (std::size_t i = 0; i < chain.statements.size(); ++i) {
    const auto* step = std::get_if<Step>(&chain.statements[i]);
    if (!step || step->results.size() < 2) continue;
    for (std::size_t k = step->results.size(); k-- > 0;) {
      Chain less = chain;
      auto& results = std::get<Step>(less.statements[i]).results;
      if (results[k] == dropped) continue;
      if (counts[results[k]] == 0) {
        results[k] = dropped;
        if (offer(less)) return;
        continue;
      }
      const auto free = std::find(results.begin(), results.end(), dropped);
      if (free == results.end()) continue;
      std::swap(results[k], *free);
      if (offer(less)) return;
    }
  }
}

/// A `backward` says less: options, cotangent, leaves, names of gradients, roots.
void simplify_backward(const Chain& chain, Offer& offer) {
  for (std::size_t i = 0; i < chain.statements.size(); ++i) {
    const auto* backward = std::get_if<Backward>(&chain.statements[i]);
    if (!backward) continue;
    const auto with = [&](auto change) {
      Chain less = chain;
      change(std::get<Backward>(less.statements[i]));
      return offer(less);
    };
    for (bool Backward::*option : {&Backward::create_graph, &Backward::retain_graph, &Backward::may_fail})
      if (with([&](Backward& b) { b.*option = false; })) return;
    if (with([](Backward& b) { b.cotangent.reset(); })) return;
    if (with([](Backward& b) { b.wrt.reset(), b.results.clear(); })) return;
    if (with([](Backward& b) { b.results.clear(); })) return;
    for (std::size_t k = backward->wrt ? backward->wrt->size() : 0; k-- > 0;)
      if (with([&](Backward& b) {
            b.wrt->erase(b.wrt->begin() + static_cast<std::ptrdiff_t>(k));
            if (!b.results.empty()) b.results.erase(b.results.begin() + static_cast<std::ptrdiff_t>(k));
          }))
        return;
    for (std::size_t k = backward->roots.size(); k-- > 0;)
      for (const bool plain : {true, false})
        if (with([&](Backward& b) {
              b.roots.erase(b.roots.begin() + static_cast<std::ptrdiff_t>(k));
              if (b.cotangent && b.cotangent->kind == Spec::Kind::list) b.cotangent = Spec{};
              if (plain) b.cotangent.reset();
            }))
          return;
  }
}

/// Gradients nobody needs.
void drop_requires_grad(const Chain& chain, Offer& offer) {
  for (std::size_t i = chain.statements.size(); i-- > 0;) {
    if (!is<Input>(chain.statements[i])) continue;
    Chain less = chain;
    std::get<Input>(less.statements[i]).requires_grad = false;
    if (offer(less)) return;
  }
}

constexpr std::array<Pass, 10> list{{
    {"isolate steps", pass<isolate_steps>},
    {"truncate", pass<truncate>},
    {"drop regions", pass<drop_regions>},
    {"drop backwards", pass<drop_backwards>},
    {"drop statements", pass<drop_statements>},
    {"cut off", pass<cut_off>},
    {"drop inputs", pass<drop_inputs>},
    {"drop names", pass<drop_names>},
    {"simplify backward", pass<simplify_backward>},
    {"drop requires_grad", pass<drop_requires_grad>},
}};

}  // namespace

std::span<const Pass> structure_passes() { return list; }

}  // namespace gradsmith::reducing
