// Passes that order statements, so that chains which differ only in the order of independent statements meet.
#include <algorithm>
#include <array>

#include "harness/reduce_edit.hpp"

namespace gradsmith::reducing {
namespace {

/// Inputs first.
void raise_inputs(const Chain& chain, Offer& offer) {
  Chain sorted{chain.names, {}, {}};
  for (const bool inputs : {true, false})
    for (const Statement& statement : chain.statements)
      if (std::holds_alternative<Input>(statement) == inputs) sorted.statements.push_back(statement);
  offer(sorted);
}

/// One statement moves to an earlier place. Brackets of regions stay.
void move_statements(const Chain& chain, Offer& offer) {
  constexpr std::size_t reach = 16;
  const auto bracket = [&](std::size_t i) {
    return std::holds_alternative<RegionBegin>(chain.statements[i]) ||
           std::holds_alternative<RegionEnd>(chain.statements[i]);
  };
  for (std::size_t i = 1; i < chain.statements.size(); ++i)
    for (std::size_t to = i - std::min(i, reach); to < i && !bracket(i); ++to) {
      Chain moved{chain.names, {}, {}};
      for (std::size_t k = 0; k < chain.statements.size(); ++k) {
        if (k == to) moved.statements.push_back(chain.statements[i]);
        if (k != i) moved.statements.push_back(chain.statements[k]);
      }
      if (offer(moved)) return;
    }
}

constexpr std::array<Pass, 2> list{{
    {"raise inputs", pass<raise_inputs>},
    {"move statements", pass<move_statements>},
}};

}  // namespace

std::span<const Pass> order_passes() { return list; }

}  // namespace gradsmith::reducing
