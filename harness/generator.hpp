// The generator's parts: a draft, the choices, and how operands, attributes, inputs and refusals are drawn. Included by
// generate*.cpp only.
#pragma once

#include <initializer_list>
#include <optional>
#include <span>

#include "harness/draft.hpp"
#include "harness/generate.hpp"

namespace gradsmith {

/// The op table sorted by what the generator asks for, each list in table order.
struct Catalog {
  explicit Catalog(const std::vector<const Op*>& ops);
  using List = std::vector<const Op*>;
  List plain;        ///< no views
  List views;        ///< every op whose result may share memory
  List single;       ///< views that may be written
  List multi;        ///< views from a node with several results
  List writers;      ///< in-place form exists
  List binary;       ///< two or more differentiable tensor operands
  List unchecked;    ///< in-place kernel accepts a target that overlaps itself
  List sour;         ///< some arguments make backward refuse (E21, E22, E23)
  List pure;         ///< out-of-place form exists, no view
  List ruled;        ///< has attributes and a shape rule that may refuse them
  const Op* narrow = nullptr;
  List expand;
  List casts;        ///< to a type that they name; in none of the lists above
  List uniform;      ///< take floating tensors of one type only
};

/// What a step should be. Defaults: whatever fits.
struct Want {
  const Catalog::List* pool = nullptr;
  unsigned inplace = 50;      ///< % where both forms exist
  Value self = dropped;       ///< operand 0 is this
  Value other = dropped;      ///< a later operand is this
  bool grows = false;         ///< some later operand must make the broadcast shape differ from operand 0's, or fit none
  bool wild = false;          ///< numbers outside their legal choices too
  bool careless = false;      ///< targets of in-place steps that will probably be refused are welcome
  bool tame = true;           ///< operands inside the op's domain
};

/// What a step must do to be kept: leave the chain acceptable, just run, be refused, or have backward refused.
enum class Goal : std::uint8_t { fine, runs, refused, poisoned };

class Generator {
 public:
  Generator(Choices& choices, const Knobs& knobs, const Catalog& catalog)
      : choices_(choices), knobs_(knobs), catalog_(catalog), draft_(knobs.mixed ? DType::bf16 : knobs.dtype) {}
  Chain run();
  /// Takes `prefix`, in canonical names, and grows from there.
  Chain extend(const Chain& prefix, Growth growth, int steps);

 private:
  // generate.cpp, generate_extend.cpp: growth.
  bool grow();
  void probe(int steps);
  void pursue(int steps);
  bool rewrite(Value target, Goal goal);
  bool spoil(std::vector<Value> targets, Value first);
  bool repeat_backward(Value root);
  bool attempt(const Want& want, Goal goal, int tries);
  void close_regions();
  bool put_backward(bool last);
  void middle_backward();
  void finish();
  std::vector<Value> some_roots();

  // generate_inputs.cpp
  void inputs();
  Input input(const Shape& shape, const Interval& interval);
  DType input_type();
  Shape fresh_shape();
  Shape related_shape(const Shape& shape);
  void layout(Input& input);
  Spec values(const Interval& interval);
  /// An input made for an operand that nothing else fits; nothing while a region is open.
  std::optional<Value> extra_input(const Shape& shape, const Interval& interval);
  std::optional<Value> extra_mask(const Shape& shape);

  // generate_operands.cpp: steps.
  std::optional<Step> build(const Op& op, bool inplace, const Want& want);
  bool fits(const Op& op, std::size_t param, Value value, bool tame);
  bool target(const Op& op, Value value, const Want& want);
  Value choose(std::span<const Value> candidates, bool pressure);
  bool fill_tensor(Step& step, std::size_t param, Want& want, bool broadcasting);
  Shaped ask(const Step& step) const;
  std::optional<double> number_operand(const Op& op, std::size_t param, bool wild);
  std::optional<Value> mask_for(const Shape& shape);

  // generate_attributes.cpp
  Argument attribute(const Op& op, const Param& param, const Shape& shape, bool wild);
  std::optional<double> integer_of(std::string_view op, std::string_view name, const Shape& shape);
  std::optional<std::vector<double>> integers_of(std::string_view op, std::string_view name, const Shape& shape);
  std::vector<double> factors(std::int64_t count);

  // generate_writes.cpp, generate_refusals.cpp: each makes LibTorch refuse now, or poisons what backward
  // needs; one that fails leaves rubbish to cut.
  bool refuse();
  bool leaf_write();
  bool leaf_view_write();
  bool saved_write();
  bool sibling_write();
  bool multi_view_write();
  bool stale_multi_view();
  bool region_view(RegionBegin::Kind kind, bool stale);
  bool inference_tensor(bool write);
  bool overlapping_target(bool in_backward);
  bool partial_overlap();
  bool misfit();
  bool integer_target();
  bool mixed_operands();
  bool freed_buffers();
  bool sour_arguments();
  bool bad_argument();
  bool ungraded_root();
  bool missing_cotangent();
  bool unused_wrt();
  bool ungraded_wrt();
  bool refused(Statement statement) { return draft_.put(std::move(statement)) == Fate::refused; }
  std::optional<Value> define(const Want& want);
  /// A floating tensor that passes the test, each with equal chance.
  template <class Test>
  std::optional<Value> some(Test test) {
    std::vector<Value> found;
    for (Value value = 0; value < draft_.values(); ++value)
      if (is_float(value) && test(value)) found.push_back(value);
    if (found.empty()) return std::nullopt;
    return choices_.pick(found);
  }
  /// A floating tensor of known values.
  bool is_float(Value value) const {
    return is_floating(draft_.info(value).dtype) && !draft_.origin(value).gradient;
  }
  bool is_inner(Value value) const;
  bool write(Value target, Goal goal, int tries = 4);
  std::optional<Value> some_leaf();
  Value ungraded();
  std::int64_t slices(Value value) const;
  std::optional<Value> slice(Value value, std::int64_t start, std::int64_t length);
  int room() const { return knobs_.max_steps - step_count(draft_.chain()); }

  Choices& choices_;
  const Knobs& knobs_;
  const Catalog& catalog_;
  Draft draft_;
  bool edges_ = false;       // some input holds edges: large values are welcome
  bool to_refuse_ = false;   // this chain must be refused
  bool poisoned_ = false;    // and will be, in backward
  bool explicit_ = false;    // it shall have a backward of its own
  bool freed_ = false;       // a backward may have freed buffers
  int dim_ = 0;              // the dimension the step at hand works on, where it has one
  std::int64_t start_ = 0;   // and where on it the step starts (narrow, slice), or which comes first (flatten)
  Shape span_{};             // broadcast of the step's operands so far
};

}  // namespace gradsmith
