#include "harness/coverage_steps.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "harness/expect.hpp"
#include "harness/layout.hpp"

namespace gradsmith {
namespace {

/// "mul" or "mul_", without a copy.
struct Form {
  std::string_view name{}, tail{};
  Form(const Op& op, bool inplace) : name(op.name), tail(inplace ? "_" : "") {}
  explicit Form(std::string_view word) : name(word) {}
};

constexpr std::string_view layout_words[] = {"empty", "0-dim", "contiguous", "permuted", "expanded", "strided"};
std::string_view layout_word(const Layout& layout) {
  if (element_count(layout.shape) == 0) return layout_words[0];
  if (layout.shape.empty()) return layout_words[1];
  if (is_contiguous(layout)) return layout_words[2];
  if (is_dense(layout)) return layout_words[3];
  return layout_words[has_internal_overlap(layout) ? 4 : 5];
}

enum class Mode : std::uint8_t { graded, plain, no_grad, inference };
constexpr std::string_view mode_words[] = {"recorded", "not recorded", "in no_grad", "in inference mode"};

void note_op(Reached& to, const Form& form, DType dtype, std::string_view layout, Mode mode) {
  to.note(Domain::ops, {"`", form.name, form.tail, "` on a tensor ", layout, " ", dtype_name(dtype), ", ",
                        mode_words[static_cast<int>(mode)]});
}
void note_edge(Reached& to, const Form& maker, const Form& reader) {
  to.note(Domain::edges, {"`", maker.name, maker.tail, "` into `", reader.name, reader.tail, "`"});
}

using Where = WriteRelation::Where;
using When = WriteRelation::When;
constexpr std::string_view where_words[] = {"", "an overlapping view of ", "a disjoint view of ", ""};
constexpr std::string_view when_words[] = {"before backward", "after a backward that kept the graph", "after backward"};

void note_relation(Reached& to, const Form& saver, bool result, const Form& writer, Where where, When when) {
  to.note(Domain::relations,
          {"`", saver.name, saver.tail, "` then `", writer.name, writer.tail, "` on ",
           where_words[static_cast<int>(where)], result ? "its result" : "its operand", ", ",
           when_words[static_cast<int>(when)]});
}

/// What happened to memory that requires grad, and the same in fewer words for long histories.
enum class Event : std::uint8_t { viewed, written, written_in_view, quiet, quiet_in_view, kept, retained, freed };
constexpr std::string_view event_words[] = {" viewed", " written", " written through a view", " written in a region",
                                            " written through a view in a region", " kept", " backward", " freed"};
constexpr std::string_view brief_words[] = {" viewed", " written", " written through a view", " written",
                                            " written through a view", "", " backward", " backward"};
constexpr std::size_t longest_full = 3, longest_brief = 5;

constexpr std::string_view own_words[] = {"never written", "written once", "written again"};
constexpr std::string_view other_words[] = {"", ", once through another", ", again through others"};
constexpr std::string_view root_words[] = {"not graded", "graded", "over a leaf"};
constexpr std::string_view place_words[] = {"whole", "a part", "a part with gaps"};
constexpr std::string_view view_words[] = {"a base", "a view", "a view of a view"};
constexpr std::string_view quiet_words[] = {"", ", also in no_grad"};
constexpr std::string_view graph_words[] = {"no backward yet", "a backward kept the graph", "a backward freed the graph"};

/// What an op is to memory: what it keeps of it, or that it only looks at it. Histories with the op's name in them would be
/// too many.
std::string_view kind_of(const Op& op) {
  if (op.alias != Alias::none) return "a view op";
  bool operand = false, own = false;
  for (const Save& row : op.saves) (row.reads == result || row.reads_inplace == result ? own : operand) = true;
  return own ? "an op that keeps its result" : operand ? "an op that keeps operands" : "an op that keeps nothing";
}

/// Walks the statements with what memory has been through.
class Walk {
 public:
  Walk(Reached& to, const Typed& typed, bool histories)
      : to_(to), typed_(typed), histories_(histories), names_(typed.values.size(), Name{Form("leaf")}) {}

  bool take(const Statement& statement, const TypedStep& typed) {
    if (const auto* step = std::get_if<Step>(&statement)) before(*step, typed);
    const auto known = model_.relations().size();
    model_.add(statement, typed_);
    if (const auto* step = std::get_if<Step>(&statement)) {
      relations(*step, known);
      if (model_.expectation().refusal) return false;
      after(*step);
    } else if (const auto* input = std::get_if<Input>(&statement)) {
      names_[input->name].maker = Form(input->requires_grad ? "leaf" : "input");
      memory(input->name).leaf = memory(input->name).graded = input->requires_grad;
    } else if (const auto* region = std::get_if<RegionBegin>(&statement)) {
      regions_.push_back(region->kind);
    } else if (std::holds_alternative<RegionEnd>(statement)) {
      regions_.pop_back();
    } else if (const auto* backward = std::get_if<Backward>(&statement)) {
      sweep(*backward);
      for (const Value result : backward->results)
        if (result != dropped) names_[result].maker = Form("backward");
    }
    return !model_.expectation().refusal;
  }

 private:
  struct Name {
    Form maker;
    int made = 0;           // when, in steps
    int writes = 0;         // through this tensor itself
    int depth = 0;          // views between it and its base
    std::string_view through = "itself";  // the view op that made it
  };
  struct Memory {
    Form writer{""};
    int written = 0;        // when, in steps
    int writes = 0, graph = 0;
    bool quiet = false, leaf = false, graded = false, kept = false;
    std::vector<std::string_view> past{}, brief{};  // what happened, in full and in few words
  };

  Name& name(Value value) { return names_[typed_.object[value]]; }
  Memory& memory(Value value) {
    const auto storage = static_cast<std::size_t>(typed_.values[value].storage);
    if (memories_.size() <= storage) memories_.resize(storage + 1);
    return memories_[storage];
  }
  Mode mode(bool graded) const {
    if (std::find(regions_.begin(), regions_.end(), RegionBegin::Kind::inference) != regions_.end()) return Mode::inference;
    return !regions_.empty() ? Mode::no_grad : graded ? Mode::graded : Mode::plain;
  }

  void before(const Step& step, const TypedStep& typed) {
    ++steps_;
    const Form form(*step.op, step.inplace);
    bool graded = false;
    Value first = dropped;
    for_each_ref(step, [&](const Value& value) {
      if (first == dropped) first = value;
      graded |= model_.requires_grad(value);
      const Name& read = name(value);
      const Memory& under = memory(value);
      note_edge(to_, under.written > read.made ? under.writer : read.maker, form);
    });
    if (first == dropped) return;
    mode_ = mode(graded);
    if (histories_) for_each_ref(step, [&](const Value& value) { history(*step.op, step.inplace && value == first, value); });
    const TensorInfo& self = typed.operands.empty() ? typed_.values[first] : typed.operands[0];
    note_op(to_, form, self.dtype, layout_word(self.layout), mode_);
  }

  /// What the memory under an operand has been through when the step uses it.
  void history(const Op& op, bool write, Value value) {
    const Memory& under = memory(value);
    const Name& named = name(value);
    const Layout& layout = typed_.values[value].layout;
    const int root = under.leaf ? 2 : model_.requires_grad(value) ? 1 : 0;
    const int place = layout.offset == 0 && is_dense(layout) ? 0 : is_dense(layout) ? 1 : 2;
    const std::string_view use = write ? " writes " : " reads ", view = view_words[std::min(named.depth, 2)],
                           own = own_words[std::min(named.writes, 2)],
                           others = other_words[std::min(under.writes - named.writes, 2)],
                           quiet = quiet_words[under.quiet], graph = graph_words[under.graph];
    to_.note(Domain::histories, {kind_of(op), use, view, ", ", own, others, ", ", graph});
    to_.note(Domain::histories, {"some op", use, place_words[place], " of memory ", root_words[root], ", ", own, others,
                                 quiet, ", ", graph});
  }

  /// One more thing happened to memory: each way its history ends now is a feature.
  void happened(Memory& under, Event event) {
    if (!histories_ || !under.graded) return;
    const auto endings = [&](std::string_view of, std::span<const std::string_view> past, std::size_t from, std::size_t to) {
      std::array<std::string_view, longest_brief + 1> words{of};
      for (std::size_t n = from; n <= std::min(to, past.size()); ++n) {
        std::copy(past.end() - static_cast<std::ptrdiff_t>(n), past.end(), words.begin() + 1);
        to_.note(Domain::histories, std::span(words).first(n + 1));
      }
    };
    under.past.push_back(event_words[static_cast<int>(event)]);
    endings(under.leaf ? "a leaf:" : "memory:", under.past, 1, longest_full);
    const std::string_view brief = brief_words[static_cast<int>(event)];
    if (brief.empty()) return;
    under.brief.push_back(brief);
    endings("in short:", under.brief, longest_full + 1, longest_brief);
  }

  /// Some node keeps what the memory holds now.
  void keep(Value value) {
    Memory& under = memory(value);
    const bool kept = model_.is_saved(value);
    if (kept && !under.kept) happened(under, Event::kept);
    under.kept = kept;
  }

  void sweep(const Backward& backward) {
    const bool kept = backward.retain_graph || backward.create_graph;
    for (Memory& memory : memories_) {
      happened(memory, kept ? Event::retained : Event::freed);
      memory.graph = std::max(memory.graph, kept ? 1 : 2);
      memory.kept &= kept;
    }
  }

  void relations(const Step& step, std::size_t known) {
    const auto& all = model_.relations();
    for (std::size_t i = known; i < all.size(); ++i) {
      const WriteRelation& r = all[i];
      if (r.where == Where::other_storage) continue;
      const Form saver(*r.saver, r.saver_inplace), writer(*r.writer, true);
      note_relation(to_, saver, r.result, writer, r.where, r.when);
      to_.note(Domain::relations,
               {"what `", saver.name, saver.tail, "` saved is written through ", name(Args(step.args).tensor(0)).through,
                ", ", mode_words[static_cast<int>(mode_)], r.bumped ? "" : ", its version unmoved"});
    }
  }

  void after(const Step& step) {
    const Form form(*step.op, step.inplace);
    if (step.inplace) {
      const Value target = Args(step.args).tensor(0);
      Memory& under = memory(target);
      under.writer = form;
      under.written = steps_;
      ++under.writes;
      under.quiet |= !regions_.empty();
      under.graded |= model_.requires_grad(target);
      const bool view = name(target).depth > 0;
      happened(under, regions_.empty() ? view ? Event::written_in_view : Event::written
                                       : view ? Event::quiet_in_view : Event::quiet);
      name(target).maker = form;
      name(target).made = steps_;
      ++name(target).writes;
    }
    for (std::size_t k = 0; k < step.results.size(); ++k) {
      const Value result = step.results[k];
      if (result == dropped || typed_.object[result] != result) continue;
      Name& made = names_[result];
      made = {form, steps_};
      memory(result).graded |= model_.requires_grad(result);
      const Value source = Args(step.args).is_tensor(0) ? Args(step.args).tensor(0) : dropped;
      if (source == dropped || typed_.values[source].storage != typed_.values[result].storage) continue;
      made.depth = name(source).depth + (step.op->alias != Alias::detach);
      made.through = step.op->name;
      happened(memory(result), Event::viewed);
    }
    if (!histories_) return;
    for_each_ref(step, [&](const Value& value) { keep(value); });
    for (const Value result : step.results)
      if (result != dropped) keep(result);
  }

  Reached& to_;
  const Typed& typed_;
  bool histories_;
  Model model_{true};
  std::vector<Name> names_;
  std::vector<Memory> memories_{};
  std::vector<RegionBegin::Kind> regions_{};
  Mode mode_ = Mode::plain;
  int steps_ = 0;
};

bool saves_something(const Op& op, bool result_only) {
  return std::any_of(op.saves.begin(), op.saves.end(), [&](const Save& row) {
    return result_only ? row.reads == result || row.reads_inplace == result : row.reads >= 0;
  });
}

}  // namespace

void cover_steps(const Chain& chain, const Typed& typed, bool accepted, Reached& reached) {
  Walk walk(reached, typed, accepted);
  for (std::size_t i = 0; i < chain.statements.size(); ++i)
    if (!walk.take(chain.statements[i], typed.steps[i])) return;
}

void cover_possible(Reached& possible) {
  std::vector<Form> readers, makers{Form("leaf"), Form("input"), Form("backward")};
  for (const Op* op : all_ops())
    for (const bool inplace : {false, true}) {
      if (inplace ? !op->inplace : !(op->pure || op->pure_many)) continue;
      const Form form(*op, inplace);
      readers.push_back(form);
      makers.push_back(form);
      for (const std::string_view layout : layout_words)
        for (const Mode mode : {Mode::graded, Mode::plain, Mode::no_grad, Mode::inference})
          note_op(possible, form, DType::f64, layout, mode);
      for (const Op* writer : all_ops())
        if (writer->inplace)
          for (const bool result : {false, true})
            if (saves_something(*op, result))
              for (const Where where : {Where::same, Where::overlapping, Where::disjoint})
                for (const When when : {When::before_backward, When::after_retained, When::after_backward})
                  note_relation(possible, form, result, Form(*writer, true), where, when);
    }
  for (const Form& maker : makers)
    for (const Form& reader : readers) note_edge(possible, maker, reader);
}

}  // namespace gradsmith
