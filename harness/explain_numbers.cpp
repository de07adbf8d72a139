// What everybody says of a chain: LibTorch, the reference and the twin side by side, then each witness in words.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "harness/compare.hpp"
#include "harness/each_op.hpp"
#include "harness/evidence.hpp"
#include "harness/explain.hpp"
#include "harness/explain_story.hpp"
#include "harness/explain_text.hpp"
#include "harness/guilt.hpp"
#include "harness/print.hpp"

namespace gradsmith {

namespace {

constexpr std::size_t first_elements = 4;  // of a tensor that are shown; further ones only where they depart
constexpr std::size_t departing = 4;

std::string number(const std::optional<Array>& array, std::size_t element) {
  return array ? print_number(array->data[element]) : "undefined";
}

const std::optional<Array>& at(const std::vector<std::optional<Array>>& arrays, std::size_t value) {
  static const std::optional<Array> none;
  return value < arrays.size() ? arrays[value] : none;
}

class Table {
 public:
  Table(const Chain& chain, const Heard& heard, const Paint& paint)
      : chain_(chain), heard_(heard), paint_(paint) {}

  /// The elements of one tensor: its values, or its gradient.
  void add(Value value, const Spread& expected, std::vector<std::optional<Array>> Outcome::*of) {
    const std::string name = (of == &Outcome::gradients ? "grad " : "") + chain_.names[value];
    const auto& observed = at(heard_.verdict->outcome.*of, value);
    const auto bounds = tolerances(expected, roundoff_of(expected), tolerance_for(chain_, of == &Outcome::gradients));
    std::size_t told = 0, left = 0;
    for (std::size_t e = 0; e < expected.value.size(); ++e) {
      const double o = observed ? observed->data[e] : 0, want = expected.value[e];
      const bool departs = !(o == want || (std::isnan(o) && std::isnan(want)) || std::abs(o - want) <= bounds[e]);
      if (e >= first_elements && !(departs && told < first_elements + departing)) {
        ++left;
        continue;
      }
      ++told;
      std::string twin = "-";
      if (heard_.twin) {
        const auto& other = at((*heard_.twin).*of, value);
        twin = number(other, e) == number(observed, e) ? "the same" : number(other, e);
      }
      const std::string row =
          fmt::format("{} {:<16}{:<24} {:<24} {:<10.2g} {}", departs ? "!" : " ", fmt::format("{}[{}]", name, e),
                      number(observed, e), print_number(want), bounds[e], twin);
      text_ += (departs ? paint_.bad(row) : row) + "\n";
    }
    if (left > 0) text_ += fmt::format("  ... {} more of {}\n", left, name);
  }
  std::string text() const {
    return text_.empty()
               ? ""
               : fmt::format("{:<18}{:<24} {:<24} {:<10} {}\n", "", "LibTorch", "reference", "within", "out of place") +
                     text_;
  }

 private:
  const Chain& chain_;
  const Heard& heard_;
  const Paint& paint_;
  std::string text_{};
};

std::string testimony_words(const Testimony& t, const Paint& paint) {
  std::string says(opinion_name(t.opinion));
  if (t.opinion == Opinion::agree) says = paint.good(says);
  if (t.opinion == Opinion::disagree) says = paint.bad(says);
  std::string words = fmt::format("{:<12} {}", witness_name(t.witness), says);
  const std::string reason = t.reason.substr(0, t.reason.find('\n'));
  if (!reason.empty()) words += ": " + reason;
  if (t.witness == Witness::difference && t.opinion == Opinion::agree && reason.empty())
    words += fmt::format(": <gradient, direction> is {}, the slope of the forward {}", print_number(t.observed),
                         print_number(t.expected));
  return words;
}

/// The steps that have the guilty form.
std::string guilty_words(const Chain& chain, const std::string& guilty) {
  std::string words = guilty;
  for (std::size_t i = 0; i < chain.statements.size(); ++i)
    if (const auto* step = std::get_if<Step>(&chain.statements[i]); step && form_of(*step) == guilty)
      words += fmt::format("{} step {}", words == guilty ? "," : " and", step_number(chain, i));
  return words;
}

}  // namespace

std::string explain_numbers(const Chain& chain, const Typed& typed, const Answer& answer, const Heard& heard,
                            const Paint& paint) {
  if (!heard.verdict) return paint.bad(folded("LibTorch: the process died (" + heard.died + ")", 0));
  const Verdict& verdict = *heard.verdict;
  std::string text;
  if (verdict.outcome.refusal) {
    const std::string& message = verdict.outcome.refusal->message;
    text += folded(fmt::format("LibTorch refused, {}: {}", refusal_words(verdict.outcome.refusal),
                               message.substr(0, message.find('\n'))),
                   0);
  } else if (answer.open.empty()) {
    Table table(chain, heard, paint);
    for (const Value v : telling_values(chain, typed, answer))
      table.add(v, *answer.reference.values[v], &Outcome::values);
    for (std::size_t v = 0; v < answer.reference.gradients.size() && !answer.reference.nan; ++v)
      if (answer.reference.gradients[v])
        table.add(static_cast<Value>(v), *answer.reference.gradients[v], &Outcome::gradients);
    text += table.text();
  } else {
    text += folded("Numbers are not compared: " + answer.open, 0);
  }
  text += "\n";
  for (const Testimony& t : verdict.testimonies) text += folded(testimony_words(t, paint), 0);
  if (!verdict.signature.guilty.empty())
    text += folded("they part at " + guilty_words(chain, verdict.signature.guilty), 0);
  return text;
}

std::string explanation(const Chain& chain, const Typed& typed, const Answer& answer, const Heard& heard,
                        const Paint& paint) {
  const std::string shows = heard.verdict ? headline(*heard.verdict) : heard.died;
  return folded(paint.strong(shows), 0) + "\n" + explain_statements(chain, typed, answer, paint) + "\n" +
         explain_numbers(chain, typed, answer, heard, paint);
}

}  // namespace gradsmith
