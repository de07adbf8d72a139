// Why a refusal must come, in words: from the rules of autograd.md and what the story says of this chain.
#include <fmt/format.h>

#include <algorithm>

#include "harness/explain_story.hpp"
#include "harness/guilt.hpp"

namespace gradsmith {

namespace {

/// Errors whose cause needs nothing but the id. {} stands for the step.
struct Cause {
  std::string_view id, words;
};
constexpr Cause causes[] = {
    {"E13", "elements of the tensor that {} writes share memory"},
    {"E14", "an operand of {} shares part of its memory with what it writes"},
    {"E16", "{} would have to keep an inference tensor for backward"},
    {"E17", "{} writes an inference tensor outside inference mode"},
    {"E18", "the result of {} is larger than what it writes to"},
    {"E19", "the shapes of the operands of {} do not broadcast"},
    {"E20", "the target of {} cannot take the type of its result"},
    {"E21", "in place, {} differentiates from its result, which does not tell the branch where the slope is negative"},
    {"E22", "in place, {} differentiates from its result, which does not tell the branch where the slope is negative"},
    {"E23", "the in-place form of {} has no derivative"},
    {"E24", "{} rejects its attributes"},
    {"E28", "a root has no graph: it neither requires grad nor was computed from what does"},
    {"E29", "a root has several elements, and no cotangent is given"},
    {"E30", "a tensor of wrt was not used on the way to the roots"},
    {"E31", "a tensor of wrt does not require grad"},
    {"E41", "{} takes floating tensors of one type"},
    {"E42", "{} takes no number beyond the range of its type"},
};

class Causes {
 public:
  Causes(const Chain& chain, const Answer& answer, const Story& story)
      : chain_(chain), refusal_(*answer.expectation.refusal), story_(story), at_(story.moments.size() - 1) {
    if (refusal_.phase.kind == Phase::Kind::step) step_ = std::get_if<Step>(&chain.statements[at_]);
  }

  std::string words() const {
    const std::string& id = refusal_.id;
    if (id == "E5") return overwritten();
    if (id == "E6") return fmt::format("an earlier backward without retain_graph has freed what {} keeps", subject());
    if (id == "E1" || id == "E2") return leaf(id);
    if (id == "E8" || id == "E9" || id == "E11")
      return fmt::format("{}, and such a view must not be written where grad mode is on", view(target()));
    if (id == "E8i" || id == "E10" || id == "E11i") return stale();
    for (const Cause& cause : causes)
      if (cause.id == id) return fmt::format(fmt::runtime(cause.words), subject());
    return "";
  }

 private:
  Value target() const { return Args(step_->args).tensor(0); }
  const std::string& name(Value value) const { return chain_.names[value]; }
  const TensorView& now(Value value) const { return *story_.moments[at_].tensors[value]; }
  std::size_t blamed_statement() const { return story_.made_at[story_.blame.node]; }
  /// The step that is refused, or the one whose backward is.
  std::string subject() const {
    if (step_) return form_of(*step_);
    return story_.blame.node < 0 ? "the program" : step_words(chain_, blamed_statement());
  }

  std::string overwritten() const {
    const KeptView& kept = story_.nodes[story_.blame.node].kept[story_.blame.kept];
    const std::string what = kept.operand == dropped ? "its result " + product_name(chain_, blamed_statement())
                                                     : "its operand " + name(kept.operand);
    const auto bump = std::find_if(story_.bumps.begin(), story_.bumps.end(),
                                   [&](const Bump& b) { return b.counter == kept.counter && b.from == kept.version; });
    return fmt::format("backward of {} needs {} at version {}; {} moved it to {}", subject(), what, kept.version,
                       step_words(chain_, bump->statement), bump->to);
  }

  std::string leaf(const std::string& id) const {
    const TensorView& t = now(target());
    if (id == "E2") return fmt::format("{} is a view of {}, which is a leaf", name(target()), name(t.base));
    if (t.base == dropped)
      return fmt::format("{} is a leaf that requires grad, and must not be written where grad mode is on",
                         name(target()));
    return fmt::format(
        "{} is a view of {} that was taken before {} joined the graph; until something reads its history, "
        "LibTorch takes it for a leaf",
        name(target()), name(t.base), name(t.base));
  }

  /// "p is one of several views that split (step 2) gave".
  std::string view(Value value) const {
    const std::string maker = step_words(chain_, story_.defined_at[value]);
    switch (now(value).tag) {
      case ViewTag::no_grad:
        return fmt::format("{} is a view that {} took in no_grad", name(value), maker);
      case ViewTag::inference:
        return fmt::format("{} is a view that {} took in inference mode", name(value), maker);
      default:
        return fmt::format("{} is one of several views that {} gave", name(value), maker);
    }
  }

  /// A view whose history would have to be made anew, which its kind forbids.
  std::string stale() const {
    for (Value value = 0; static_cast<std::size_t>(value) < chain_.names.size(); ++value) {
      if (!story_.moments[at_].tensors[value] || !is_read(value)) continue;
      const TensorView& t = now(value);
      if (!t.stale || t.tag == ViewTag::normal) continue;
      const auto bump = std::find_if(story_.bumps.rbegin(), story_.bumps.rend(),
                                     [&](const Bump& b) { return b.counter == t.counter; });
      return fmt::format("{}; {} has written its base {} since, and its history cannot be made anew", view(value),
                         step_words(chain_, bump->statement), name(t.base));
    }
    return "";
  }
  /// The refused call reads the tensor's history: an operand of the step; in a backward, any.
  bool is_read(Value value) const {
    if (!step_) return true;
    bool read = false;
    for_each_ref(*step_, [&](const Value& operand) { read = read || operand == value; });
    return read;
  }

  const Chain& chain_;
  const Refusal& refusal_;
  const Story& story_;
  const std::size_t at_;  // the last statement reached
  const Step* step_ = nullptr;
};

}  // namespace

std::string cause_of_refusal(const Chain& chain, const Answer& answer, const Story& story) {
  return Causes(chain, answer, story).words();
}

}  // namespace gradsmith
