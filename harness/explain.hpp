// A chain told step by step: types, versions, what each node keeps, what the model expects and why, values, and
// gradients by every witness side by side. Pure functions of what is known; run nothing on LibTorch.
#pragma once

#include <optional>
#include <string>

#include "harness/judge.hpp"
#include "harness/repro.hpp"
#include "harness/typing.hpp"

namespace gradsmith {

/// What running the chain gave; all absent if the process died of it.
struct Heard {
  std::optional<Verdict> verdict{};
  std::optional<Outcome> twin{};  ///< of the chain out of place
  std::string died{};             ///< "crash", ... ; empty: it did not
};

/// Text that a terminal shows in colours, or plain text.
class Paint {
 public:
  explicit Paint(bool colours) : colours_(colours) {}
  std::string strong(const std::string& text) const { return code("1", text); }
  std::string good(const std::string& text) const { return code("32", text); }
  std::string bad(const std::string& text) const { return code("31", text); }

 private:
  std::string code(const char* number, const std::string& text) const {
    return colours_ ? std::string("\033[") + number + "m" + text + "\033[0m" : text;
  }
  bool colours_;
};

/// The statements, one paragraph each: its text, the types, versions before and after, what its node keeps, and at the
/// last one the refusal that the model expects, with its cause.
std::string explain_statements(const Chain& chain, const Typed& typed, const Answer& answer, const Paint& paint);
/// Final values and gradients by LibTorch, the reference (with its spread) and the twin, side by side; what each
/// witness says; where they part.
std::string explain_numbers(const Chain& chain, const Typed& typed, const Answer& answer, const Heard& heard,
                            const Paint& paint);
/// Both, under one line that says what the chain shows. Lines of 100 columns at most where a line can be broken.
std::string explanation(const Chain& chain, const Typed& typed, const Answer& answer, const Heard& heard,
                        const Paint& paint);

}  // namespace gradsmith
