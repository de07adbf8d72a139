#include "harness/pairing.hpp"

#include <algorithm>
#include <bit>

#include "harness/execute.hpp"
#include "harness/op.hpp"
#include "harness/twin.hpp"

namespace gradsmith {
namespace {

constexpr std::uint64_t share = 64;
constexpr int turns = 3;

void take_shortest(Cost& cost, const Cost& again, bool first) {
  for (std::size_t i = 0; i < cost.steps.size(); ++i)
    cost.steps[i].nanoseconds =
        first ? again.steps[i].nanoseconds : std::min(cost.steps[i].nanoseconds, again.steps[i].nanoseconds);
}

}  // namespace

bool is_paired(const Chain& chain) {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  const auto mix = [&](std::uint64_t number) { hash = (hash ^ number) * 0x100000001b3; };
  for (const Statement& statement : chain.statements) {
    if (const auto* input = std::get_if<Input>(&statement)) {
      mix(input->values.seed);
      for (const double number : input->values.list) mix(std::bit_cast<std::uint64_t>(number));
    } else if (const auto* step = std::get_if<Step>(&statement)) {
      for (const char c : step->op->name) mix(static_cast<unsigned char>(c));
    }
  }
  return (hash >> 32) % share == 0;
}

void time_in_turns(const Chain& chain, const Typed& typed, Cost& own, Cost& twin) {
  for (int turn = 0; turn < turns; ++turn) {
    take_shortest(own, execute_cost(chain), turn == 0);
    const auto other = execute_twin(chain, typed, {});
    if (const auto* ran = std::get_if<Twin>(&other)) take_shortest(twin, ran->outcome.cost, turn == 0);
  }
}

}  // namespace gradsmith
