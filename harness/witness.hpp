// Opinions on an outcome: what a witness says, and the verdict the judge draws from all of them. Plain data.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gradsmith {

/// The witnesses, in the order they are asked.
enum class Witness : std::uint8_t { expectation, reference, twin, difference, memory, time, device, forward, second };
inline constexpr std::size_t witness_count = 9;
inline constexpr std::string_view witness_names[witness_count] = {
    "expectation", "reference", "twin", "difference", "memory", "time", "device", "forward", "second"};
std::string_view witness_name(Witness witness);
/// The same for each of them.
template <class T>
constexpr std::array<T, witness_count> of_every_witness(T value) {
  std::array<T, witness_count> all{};
  all.fill(value);
  return all;
}

/// All but `forward` and `second`, which run the chain in modes of their own.
constexpr std::array<bool, witness_count> of_reverse_mode() {
  std::array<bool, witness_count> some = of_every_witness(true);
  some[static_cast<std::size_t>(Witness::forward)] = some[static_cast<std::size_t>(Witness::second)] = false;
  return some;
}

/// What one witness says of one chain.
enum class Opinion : std::uint8_t { agree, disagree, inconclusive, skipped };
std::string_view opinion_name(Opinion opinion);

/// The kinds of finding, in the words of the record.
enum class FindingKind : std::uint8_t {
  none, missing_error, spurious_error, wrong_error, wrong_value, wrong_gradient, twin_mismatch, nondeterminism, crash, hang,
  leak, memory, time, device_mismatch, forward_mode, second_order
};
std::string_view finding_name(FindingKind kind);  ///< "missing-error", ...

/// One witness's answer, with its evidence.
struct Testimony {
  Witness witness{};
  Opinion opinion = Opinion::skipped;
  FindingKind kind = FindingKind::none;  ///< what a disagreement would be
  std::string reason{};                  ///< why inconclusive or skipped; what disagrees, with both numbers
  std::string guilty{}, detail{};        ///< of the signature, where only the witness knows them; empty: told by the numbers
  std::string name{};                    ///< the tensor or leaf that departs; of a cost the step
  std::string errors{};                  ///< of errors in a mode of its own: expected and seen, "none-E23b-step"
  double observed = 0, expected = 0;     ///< the element that departs most
  bool bitwise = true;                   ///< of the twin: the comparison was for equal bits
  double ratio = 0;                      ///< distance in units of the tolerance's unit (replica spread), worst element
};

/// How a judged chain counts.
enum class Status : std::uint8_t { pass, agreed_raise, known_hole, finding, inconclusive, discard };
std::string_view status_name(Status status);  ///< "pass", "agreed-raise", ...

}  // namespace gradsmith
