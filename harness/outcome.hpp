// What running a chain gives, and what the model expects of it. Plain data, no LibTorch.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "harness/array.hpp"
#include "harness/chain.hpp"
#include "harness/cost.hpp"

namespace gradsmith {

/// Where LibTorch refuses: at step `number` (the K-th op of the chain, from 1) or in the `number`-th backward (from 1).
struct Phase {
  enum class Kind : std::uint8_t { step, backward };
  Kind kind = Kind::step;
  int number = 0;
  bool operator==(const Phase&) const = default;
};
/// "step 3", "backward 1".
std::string phase_name(const Phase& phase);

/// An error LibTorch raised. `id` is that of autograd.md, "?" if the message is none of them.
struct Refusal {
  Phase phase{};
  std::string id{};
  std::string message{};  ///< as LibTorch wrote it, without the backtrace; empty in an expectation
};

/// The id of an error message by its stable fragments (autograd.md, section 7), most specific first; "?" if none fits.
std::string classify_error(std::string_view message);
/// The fragment by which an id is recognised; empty for an unknown id.
std::string_view error_fragment(std::string_view id);

/// What must happen: nothing, a refusal, or silence about a wrong gradient (a hole of autograd.md, section 11: "U17").
struct Expectation {
  std::optional<Refusal> refusal{};
  std::optional<std::string> hole{};
};

/// What happened. Values by name at the end of the chain (names that a refusal left undefined are absent); gradients of
/// the leaves by name (absent: undefined in LibTorch); results of `backward(wrt=...)` are values.
struct Outcome {
  std::vector<std::optional<Array>> values{};     ///< by Value
  std::vector<std::optional<Array>> gradients{};  ///< by Value, leaves that require grad only
  std::optional<Refusal> refusal{};
  Cost cost{};                                    ///< up to the refusal, if there is one
};

}  // namespace gradsmith
