#include "harness/turns.hpp"

#include <bit>

#include "harness/op.hpp"

namespace gradsmith {

namespace {

/// Of inputs, ops and numbers, not of names: a chain that was printed and read again has the same.
class Fingerprint {
 public:
  void mix(std::uint64_t number) { hash_ = (hash_ ^ number) * 0x100000001b3; }  // FNV-1a
  void mix(double number) { mix(std::bit_cast<std::uint64_t>(number)); }
  void mix(std::string_view text) {
    for (const char c : text) mix(std::uint64_t{static_cast<unsigned char>(c)});
  }
  void mix(const Spec& spec) {
    mix(spec.seed);
    for (const double number : spec.list) mix(number);
  }
  /// Its upper bits: the lower ones of this hash follow those of what was mixed last.
  std::uint64_t bits() const { return hash_ >> 32; }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325;
};

std::uint64_t fingerprint(const Chain& chain) {
  Fingerprint print;
  for (const Statement& statement : chain.statements) {
    print.mix(std::uint64_t{statement.index()});
    if (const auto* input = std::get_if<Input>(&statement)) {
      print.mix(static_cast<std::uint64_t>(input->dtype));
      for (const std::int64_t size : input->shape) print.mix(static_cast<std::uint64_t>(size));
      print.mix(input->values);
    } else if (const auto* step = std::get_if<Step>(&statement)) {
      print.mix(step->op->name);
      print.mix(std::uint64_t{step->inplace});
      for (const Argument& argument : step->args)
        if (const auto* number = std::get_if<double>(&argument)) print.mix(*number);
    }
  }
  return print.bits();
}

}  // namespace

void ask_in_turn(std::array<bool, witness_count>& witnesses, const Chain& chain) {
  const std::uint64_t turn = fingerprint(chain) % 16;
  witnesses[static_cast<std::size_t>(Witness::forward)] = turn % 8 == 0;
  witnesses[static_cast<std::size_t>(Witness::second)] = turn == 1;
}

}  // namespace gradsmith
