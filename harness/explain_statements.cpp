// The statements of a chain, a paragraph each.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "harness/evidence.hpp"
#include "harness/explain.hpp"
#include "harness/explain_story.hpp"
#include "harness/explain_text.hpp"
#include "harness/print.hpp"

namespace gradsmith {

namespace {

class Teller {
 public:
  Teller(const Chain& chain, const Typed& typed, const Answer& answer, const Paint& paint)
      : chain_(chain), typed_(typed), answer_(answer), paint_(paint), story_(tell(chain, typed, answer)) {}

  std::string words() {
    for (std::size_t i = 0; i < story_.moments.size(); ++i) statement(i);
    if (!answer_.roots.empty()) {
      head(fmt::format("backward {}", backwards_ + 1), "of every live result, since the chain has no backward");
      detail("roots: " + list(answer_.roots));
      outcome(story_.moments.size(), {Phase::Kind::backward, backwards_ + 1});
    }
    if (const auto& hole = answer_.expectation.hole; hole && !answer_.expectation.refusal)
      text_ +=
          folded(paint_.bad(fmt::format("known hole {}: LibTorch raises nothing, and some gradient is not that of the "
                                        "program",
                                        *hole)),
                 0);
    if (story_.moments.size() < chain_.statements.size())
      detail(fmt::format("({} more statements are not reached)", chain_.statements.size() - story_.moments.size()));
    return std::move(text_);
  }

 private:
  void head(const std::string& number, const std::string& words) {
    text_ += fmt::format("{:>11}  {}{}\n", number, std::string(2 * depth_, ' '), paint_.strong(words));
  }
  void detail(const std::string& words) { text_ += folded(words, 15 + 2 * depth_); }
  const std::string& name(Value value) const { return chain_.names[value]; }
  std::string list(const std::vector<Value>& values) const {
    std::vector<std::string> names;
    for (const Value value : values) names.push_back(name(value));
    return fmt::format("{}", fmt::join(names, ", "));
  }

  void statement(std::size_t i) {
    const Statement& s = chain_.statements[i];
    std::string text = print(chain_, s);
    if (std::holds_alternative<RegionEnd>(s)) --depth_;
    std::string number;
    if (std::holds_alternative<Step>(s)) number = fmt::format("step {}", step_number(chain_, i));
    if (std::holds_alternative<Backward>(s)) number = fmt::format("backward {}", ++backwards_);
    constexpr std::size_t longest = 84;
    if (text.size() > longest) text = text.substr(0, longest - 1) + " ...";
    head(number, text);
    if (std::holds_alternative<RegionBegin>(s)) ++depth_;
    if (const auto* input = std::get_if<Input>(&s)) tensor(i, input->name);
    if (const auto* step = std::get_if<Step>(&s)) {
      if (!refused_here(i)) {
        if (step->inplace) written(i, Args(step->args).tensor(0));
        for (const Value result : step->results)
          if (result != dropped) tensor(i, result);
        kept(i);
      }
      outcome(i, {Phase::Kind::step, step_number(chain_, i)});
    }
    if (const auto* backward = std::get_if<Backward>(&s)) {
      outcome(i, {Phase::Kind::backward, backwards_});
      for (const Value result : backward->results)
        if (result != dropped && !refused_here(i)) tensor(i, result);
    }
  }

  bool refused_here(std::size_t i) const {
    return answer_.expectation.refusal && i + 1 == story_.moments.size() && answer_.roots.empty();
  }

  /// "h: f64[4, 5]; a view of b; storage 1, version 0; requires grad".
  void tensor(std::size_t i, Value value) {
    const TensorView& view = *story_.moments[i].tensors[value];
    if (view.object != value) return detail(fmt::format("{}: another name of {}", name(value), name(view.object)));
    const TensorInfo& info = typed_.values[value];
    std::string words =
        fmt::format("{}: {}[{}]", name(value), dtype_name(info.dtype), fmt::join(info.layout.shape, ", "));
    if (info.layout.strides != contiguous_layout(info.layout.shape).strides)
      words += fmt::format(" strides [{}]", fmt::join(info.layout.strides, ", "));
    if (info.layout.offset != 0) words += fmt::format(" offset {}", info.layout.offset);
    words += fmt::format("; storage {}", info.storage);
    words += view.counter < 0 ? ", no version (an inference tensor)" : fmt::format(", version {}", view.version);
    words += shared(i, value);
    if (view.base != dropped) words += fmt::format("; view of {}{}", name(view.base), kind(view.tag));
    words += view.leaf && view.base == dropped ? "; a leaf that requires grad"
             : view.requires_grad              ? "; requires grad"
                                               : "";
    detail(words);
    values(i, value);
  }
  static std::string_view kind(ViewTag tag) {
    switch (tag) {
      case ViewTag::multi_output:
        return ", one of several";
      case ViewTag::no_grad:
        return ", taken in no_grad";
      case ViewTag::inference:
        return ", taken in inference mode";
      case ViewTag::normal:
        break;
    }
    return "";
  }
  /// " (shared with a, b)": who has the same version counter.
  std::string shared(std::size_t i, Value value) const {
    std::vector<Value> others;
    const auto& tensors = story_.moments[i].tensors;
    for (Value v = 0; static_cast<std::size_t>(v) < tensors.size(); ++v)
      if (v != value && tensors[v] && tensors[v]->counter >= 0 && tensors[v]->counter == tensors[value]->counter)
        others.push_back(v);
    return others.empty() ? "" : fmt::format(" (shared with {})", list(others));
  }
  void values(std::size_t i, Value value) {
    const auto& elements = story_.moments[i].values[value];
    if (elements) detail(fmt::format("= {}", short_values(*elements)));
  }

  void written(std::size_t i, Value target) {
    const auto bump =
        std::find_if(story_.bumps.begin(), story_.bumps.end(), [&](const Bump& b) { return b.statement == i; });
    const TensorView& view = *story_.moments[i].tensors[target];
    if (bump == story_.bumps.end())
      detail(fmt::format("{}: written, no version (an inference tensor)", name(target)));
    else
      detail(fmt::format("{}: version {} -> {}{}{}", name(target), bump->from, bump->to, shared(i, target),
                         view.requires_grad ? "; requires grad" : ""));
    values(i, target);
    if (bump == story_.bumps.end()) return;
    for (std::size_t n = 0; n < story_.nodes.size(); ++n)
      for (const KeptView& kept : story_.nodes[n].kept)
        if (story_.made_at[n] < i && kept.counter == bump->counter && kept.version == bump->from)
          detail(paint_.bad(
              fmt::format("overwrites what {} keeps: {}", step_words(chain_, story_.made_at[n]), what(n, kept))));
  }

  std::string what(std::size_t node, const KeptView& kept) const {
    if (kept.counter < 0) return "a copy of its own";
    const std::string whose = kept.operand == dropped ? product_name(chain_, story_.made_at[node]) : name(kept.operand);
    return fmt::format("{}{} at version {}", kept.operand == dropped ? "its result " : "", whose, kept.version);
  }
  void kept(std::size_t i) {
    std::vector<std::string> all;
    bool node = false, through_base = false;
    for (std::size_t n = 0; n < story_.nodes.size(); ++n) {
      if (story_.made_at[n] != i || !story_.nodes[n].op) continue;
      node = true;
      through_base |= story_.nodes[n].through_base;
      for (const KeptView& kept : story_.nodes[n].kept) all.push_back(what(n, kept));
    }
    if (!node) return;
    detail(fmt::format("keeps for backward: {}{}", all.empty() ? "nothing" : fmt::format("{}", fmt::join(all, ", ")),
                       through_base ? "; written through a view: its history is the base's" : ""));
  }

  /// What the model expects of this call, said where something can be refused: at the refusal and at backwards.
  void outcome(std::size_t i, const Phase& phase) {
    const auto& refusal = answer_.expectation.refusal;
    if (refusal && refusal->phase == phase)
      detail(
          paint_.bad(fmt::format("must be refused, {}: {}", refusal->id, cause_of_refusal(chain_, answer_, story_))));
    else if (phase.kind == Phase::Kind::backward && (i < story_.moments.size() || !refusal))
      detail("must not be refused");
  }

  const Chain& chain_;
  const Typed& typed_;
  const Answer& answer_;
  const Paint& paint_;
  const Story story_;
  std::string text_{};
  std::size_t depth_ = 0;
  int backwards_ = 0;
};

}  // namespace

std::string explain_statements(const Chain& chain, const Typed& typed, const Answer& answer, const Paint& paint) {
  return Teller(chain, typed, answer, paint).words();
}

}  // namespace gradsmith
