#include "harness/wrong_refusal.hpp"

#include <fmt/format.h>

namespace gradsmith {

std::optional<Testimony> wrong_refusal(Witness witness, FindingKind kind, std::string_view mode,
                                       const std::optional<Refusal>& want, const std::optional<Refusal>& got,
                                       std::string (*word)(const std::optional<Refusal>&)) {
  if (!want && !got) return std::nullopt;
  if (want && got && want->id == got->id && want->phase == got->phase) return std::nullopt;
  const auto words = [](const std::optional<Refusal>& r) {
    return r ? fmt::format("{} at {}", r->id, phase_name(r->phase)) : std::string("no error");
  };
  return Testimony{.witness = witness,
                   .opinion = Opinion::disagree,
                   .kind = kind,
                   .reason = fmt::format("{}: expected {}, saw {}{}", mode, words(want), words(got),
                                         got ? ": " + got->message.substr(0, got->message.find('\n')) : ""),
                   .errors = word(want) + "-" + word(got)};
}

}  // namespace gradsmith
