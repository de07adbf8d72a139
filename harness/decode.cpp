#include "harness/decode.hpp"

#include <algorithm>

#include "harness/mutate_edit.hpp"
#include "harness/reduce.hpp"
#include "harness/typing.hpp"

namespace gradsmith {
namespace {

enum class Record : std::uint8_t { input, backward, region_begin, region_end, step };

/// Out of 16 values of the first byte, most are steps.
Record kind_of(std::uint8_t byte) {
  switch (byte % 16) {
    case 0: return Record::input;
    case 1: return Record::backward;
    case 2: return Record::region_begin;
    case 3: return Record::region_end;
    default: return Record::step;
  }
}

Input draw_input(Chain& chain, Choices& choices) {
  Input input{.name = reducing::new_value(chain)};
  input.requires_grad = choices.below(4) != 3;
  for (std::size_t rank = choices.below(3); rank > 0; --rank) input.shape.push_back(choices.between(1, 4));
  constexpr Spec uniform{.kind = Spec::Kind::uniform, .lo = 0.5, .hi = 2};
  input.values = choices.chance(50) ? uniform : Spec{};
  input.values.seed = choices.below(256);
  return input;
}

class Decoder {
 public:
  Chain run(std::span<const std::uint8_t> bytes) {
    for (std::size_t count = 0; count < decoded_records && !bytes.empty() && typer_.refused().empty(); ++count) {
      const auto record = bytes.first(std::min(decoded_record, bytes.size()));
      bytes = bytes.subspan(record.size());
      take(kind_of(record[0]), Choices(record.subspan(1)));
    }
    if (chain_.statements.empty()) take(Record::input, Choices(std::span<const std::uint8_t>()));
    for (; open_ > 0; --open_) chain_.statements.push_back(RegionEnd{});
    return canonical_names(chain_);
  }

 private:
  void take(Record kind, Choices choices) {
    const auto values = mutating::defined_before(chain_, chain_.statements.size());
    if (values.empty() || kind == Record::input) {
      if (open_ == 0) put(draw_input(chain_, choices));
    } else if (kind == Record::step) {
      put(mutating::draw_step(chain_, values, choices));
    } else if (kind == Record::backward) {
      const Backward backward = mutating::draw_backward(values, choices);
      const auto floating = [&](Value value) { return is_floating(typer_.typed().values[value].dtype); };
      if (std::all_of(backward.roots.begin(), backward.roots.end(), floating)) put(backward);
    } else if (kind == Record::region_begin) {
      constexpr int deepest = 4;
      if (open_ == deepest) return;
      put(RegionBegin{choices.chance(70) ? RegionBegin::Kind::no_grad : RegionBegin::Kind::inference});
      ++open_;
    } else if (open_ > 0) {
      put(RegionEnd{});
      --open_;
    }
  }
  /// Keeps the statement if it is valid behind those so far.
  void put(Statement statement) {
    chain_.statements.push_back(std::move(statement));
    const auto* step = std::get_if<Step>(&chain_.statements.back());
    const bool no_target = step && step->inplace && !std::holds_alternative<Ref>(step->args[0]);
    if (no_target || typer_.add(chain_, chain_.statements.back())) chain_.statements.pop_back();
  }

  Chain chain_{};
  Typer typer_{};
  int open_ = 0;
};

}  // namespace

Chain decode(std::span<const std::uint8_t> bytes) { return Decoder().run(bytes); }

}  // namespace gradsmith
