#include "harness/repro_body.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>

#include "harness/compare.hpp"
#include "harness/each_op.hpp"
#include "harness/error_text.hpp"
#include "harness/evidence.hpp"
#include "harness/expect.hpp"
#include "harness/forward_expected.hpp"
#include "harness/layout.hpp"
#include "harness/print.hpp"
#include "harness/repro_names.hpp"
#include "harness/repro_spelling.hpp"
#include "harness/values.hpp"

namespace gradsmith {

namespace {

constexpr std::size_t width = 112;

/// Bounds with two digits, rounded up. Where a replica left the numbers nothing can be asserted.
std::vector<double> rounded_up(std::vector<double> bounds) {
  for (double& bound : bounds)
    bound = std::isfinite(bound) ? std::strtod(fmt::format("{:.1e}", bound * 1.05).c_str(), nullptr) : INFINITY;
  return bounds;
}

class Writer {
 public:
  Writer(Language language, const Chain& chain, const Typed& typed, const Answer& answer)
      : chain_(chain),
        typed_(typed),
        answer_(answer),
        cpp_(language == Language::cpp),
        forward_(answer.mode == Mode::forward),
        names_(program_names(language, chain)),
        spell_{language, names_, backwards(chain) > 1 || forward_ || in_16_bits(chain)} {}

  ReproBody write() {
    if (forward_) enter_level();
    const std::size_t around = depth_;
    const std::size_t statements =
        forward_ ? forward_statements(chain_, expect(chain_, typed_).refusal) : chain_.statements.size();
    for (std::size_t i = 0; i < statements && !refused_; ++i) std::visit(*this, chain_.statements[i]);
    if (!refused_ && !answer_.roots.empty() && !forward_) differentiate();
    while (depth_ > around) close();
    checks();
    while (depth_ > 0) close();
    return std::move(body_);
  }

  void operator()(const Input& input) {
    const auto data = input_storage(input);
    const std::string made = laid_out(input, data);
    if (!forward_ || !input.requires_grad)
      return assign(input.name, made + (input.requires_grad ? ".requires_grad_()" : ""));
    std::vector<double> tangent(data.size());
    const auto positions = storage_positions(input_layout(input));
    for (std::size_t e = 0; e < positions.size(); ++e) tangent[positions[e]] = answer_.along[input.name][e];
    assign(input.name, fmt::format("{}({}, {}{})", cpp_ ? "at::_make_dual" : "forward_ad.make_dual", made,
                                   laid_out(input, tangent), cpp_ ? ", level.number" : ""));
  }

  void operator()(const Step& step) {
    ++steps_;
    const std::string call = spell_.call(step);
    body_.functional |= call.starts_with("F.");
    if (must_refuse({Phase::Kind::step, steps_})) return refusal(call);
    if (step.results.empty()) return statement(call);
    if (!step.op->pure_many) return step.results[0] == dropped ? statement(call) : assign(step.results[0], call);
    unpack(step.results, call, "");
  }

  void operator()(const Backward& backward) {
    if (forward_) return;  // a backward is nothing to forward mode
    ++backwards_;
    const std::string call = backward_call(backward);
    if (must_refuse({Phase::Kind::backward, backwards_})) return refusal(call);
    if (backward.may_fail) declare_ahead(backward.results);
    if (backward.may_fail) open(cpp_ ? "try {" : "try:");
    if (backward.results.empty())
      statement(call);
    else
      unpack(backward.results, call,
             cpp_ ? ".clone(at::MemoryFormat::Contiguous)" : ".clone(memory_format=torch.contiguous_format)");
    if (!backward.may_fail) return;
    --depth_;
    line(cpp_ ? "} catch (const c10::Error&) {  // it may be refused" : "except RuntimeError:  # it may be refused");
    ++depth_;
    if (!cpp_) line("pass");
    close();
  }

  void operator()(const RegionBegin& region) {
    const bool no_grad = region.kind == RegionBegin::Kind::no_grad;
    if (cpp_) {
      declare_ahead(given_in_regions());
      open("{");
      line(no_grad ? "at::NoGradGuard no_grad;" : "c10::InferenceMode inference;");
    } else {
      open(no_grad ? "with torch.no_grad():" : "with torch.inference_mode():");
    }
    opened_at_ = body_.lines.size();
  }
  void operator()(const RegionEnd&) {
    if (!cpp_ && opened_at_ == body_.lines.size()) line("pass");
    close();
  }

 private:
  static int backwards(const Chain& chain) {
    return static_cast<int>(std::count_if(chain.statements.begin(), chain.statements.end(),
                                          [](const Statement& s) { return std::holds_alternative<Backward>(s); }));
  }

  void enter_level() {
    body_.level = true;
    comment("In forward mode: the first tensor of a pair is the value, the second its tangent.");
    if (cpp_)
      line("const Level level;  // outlives the tensors");
    else
      open("with forward_ad.dual_level():");
  }

  /// Both backwards that end a chain differentiated twice, or the one that ends any other.
  void differentiate() {
    comment("The gradient of everything that was computed, each with a cotangent of its own:");
    const Backward all{.roots = answer_.roots, .cotangent = Spec{}};
    if (answer_.mode != Mode::second) return (*this)(all);
    std::vector<std::string> directions;
    for (const Statement& statement : chain_.statements)
      if (const auto* input = std::get_if<Input>(&statement); input && input->requires_grad) {
        leaves_.push_back(input->name);
        directions.push_back(tensor(input->dtype, input->shape, answer_.along[input->name]));
      }
    const std::string leaves = spell_.list(names_of(leaves_)), declares = cpp_ ? "const auto " : "";
    statement(fmt::format("{}results1 = {}({}, {}, {}, {})", declares,
                          cpp_ ? "torch::autograd::grad" : "torch.autograd.grad",
                          spell_.list(names_of(answer_.roots)), leaves, spell_.list(cotangents(all)),
                          cpp_ ? "/*retain_graph=*/true, /*create_graph=*/true, /*allow_unused=*/true"
                               : "create_graph=True, allow_unused=True"));
    body_.again = true;
    comment("The gradient of <results1, direction>:");
    const std::string again = fmt::format("again(results1, {}, {})", leaves, spell_.list(directions));
    if (answer_.expectation.refusal) return refusal(again);
    statement(fmt::format("{}results2 = {}", declares, again));
  }

  std::string laid_out(const Input& input, const std::vector<double>& storage) {
    if (!input.strides && input.offset == 0) return tensor(input.dtype, input.shape, storage);
    body_.strided = true;
    const Layout layout = input_layout(input);
    return fmt::format("strided({}, {}, {}, {}, {})", spell_.dtype(input.dtype), spell_.list(layout.shape),
                       spell_.list(layout.strides), layout.offset, spell_.list(storage));
  }

  void line(const std::string& text) {
    for (const std::string& part : wrapped(text, width - 2 * depth_))
      body_.lines.push_back(std::string((cpp_ ? 2 : 4) * depth_, ' ') + part);
  }
  void statement(const std::string& text) { line(text + (cpp_ ? ";" : "")); }
  void comment(const std::string& text) { line((cpp_ ? "// " : "# ") + text); }
  void open(const std::string& text) {
    line(text);
    ++depth_;
  }
  void close() {
    --depth_;
    if (cpp_) line("}");
  }

  const std::string& name(Value value) const { return names_[static_cast<std::size_t>(value)]; }
  std::vector<std::string> names_of(const std::vector<Value>& values) const {
    std::vector<std::string> out;
    for (const Value value : values) out.push_back(name(value));
    return out;
  }
  void assign(Value value, const std::string& text) {
    const bool declares = cpp_ && ahead_.insert(value).second;
    statement(fmt::format("{}{} = {}", declares ? "at::Tensor " : "", name(value), text));
  }
  /// Names tensors before the braces that give them open, so that they outlive these.
  void declare_ahead(const std::vector<Value>& values) {
    if (!cpp_) return;
    std::vector<std::string> ahead;
    for (const Value value : values)
      if (value != dropped && ahead_.insert(value).second) ahead.push_back(name(value));
    if (!ahead.empty()) statement(fmt::format("at::Tensor {}", fmt::join(ahead, ", ")));
  }
  /// What any region gives.
  std::vector<Value> given_in_regions() const {
    std::vector<Value> out;
    int depth = 0;
    for (const Statement& statement : chain_.statements) {
      const std::vector<Value>* results = nullptr;
      if (const auto* step = std::get_if<Step>(&statement)) results = &step->results;
      if (const auto* backward = std::get_if<Backward>(&statement)) results = &backward->results;
      depth += std::holds_alternative<RegionBegin>(statement);
      depth -= std::holds_alternative<RegionEnd>(statement);
      if (results && depth > 0) out.insert(out.end(), results->begin(), results->end());
    }
    return out;
  }

  void unpack(const std::vector<Value>& results, const std::string& call, std::string_view each) {
    if (cpp_) {
      const std::string all = fmt::format("results{}", ++unpacked_);
      statement(fmt::format("const auto {} = {}", all, call));
      for (std::size_t k = 0; k < results.size(); ++k)
        if (results[k] != dropped) assign(results[k], fmt::format("{}[{}]{}", all, k, each));
      return;
    }
    std::vector<std::string> targets;
    for (const Value value : results) targets.push_back(value == dropped ? "_" : name(value));
    statement(fmt::format("{}{} = {}", fmt::join(targets, ", "), targets.size() == 1 ? "," : "",
                          each.empty() ? call : fmt::format("(each{} for each in {})", each, call)));
  }

  std::string tensor(DType dtype, const Shape& shape, const std::vector<double>& data) {
    body_.tensor = true;
    return fmt::format("tensor({}, {}, {})", spell_.dtype(dtype), spell_.list(shape), spell_.list(data));
  }

  std::vector<std::string> cotangents(const Backward& backward) {
    std::vector<std::string> texts;
    if (!backward.cotangent) return texts;
    const auto values = seeds(backward.cotangent, backward.roots, typed_);
    for (std::size_t r = 0; r < values.size(); ++r) {
      const TensorInfo& root = typed_.values[backward.roots[r]];
      texts.push_back(tensor(root.dtype, root.layout.shape, values[r]));
    }
    return texts;
  }

  std::string backward_call(const Backward& backward) {
    const auto given = cotangents(backward);
    const bool single = !backward.wrt && backward.roots.size() == 1;
    std::vector<std::string> texts;
    if (!single) texts.push_back(spell_.list(names_of(backward.roots)));
    if (backward.wrt) texts.push_back(spell_.list(names_of(*backward.wrt)));
    if (!given.empty())
      texts.push_back(single ? given[0] : spell_.list(given));
    else if (cpp_ && (backward.retain_graph || (!single && !backward.wrt)))
      texts.push_back("{}");
    if (backward.retain_graph) texts.push_back(cpp_ ? "/*retain_graph=*/true" : "retain_graph=True");
    const std::string callee = single ? name(backward.roots[0]) + "." : cpp_ ? "torch::autograd::" : "torch.autograd.";
    return fmt::format("{}{}({})", callee, backward.wrt ? "grad" : "backward", fmt::join(texts, ", "));
  }

  bool must_refuse(const Phase& phase) const {
    return answer_.expectation.refusal && answer_.expectation.refusal->phase == phase;
  }

  void refusal(const std::string& call) {
    refused_ = body_.refused = true;
    const std::string& id = answer_.expectation.refusal->id;
    comment(fmt::format("This must be refused ({}):", refusal_words(answer_.expectation.refusal)));
    std::vector<std::string> texts;
    for (const std::string_view text : error_fragments(id)) texts.push_back(fmt::format("\"{}\"", text));
    if (!cpp_ && id == "E31") texts = {"\"does not require grad\""};  // PyTorch checks it in a place of its own
    std::string never;
    if (const auto text = containing_fragment(id); !text.empty()) never = fmt::format(", \"{}\"", text);
    if (cpp_) {
      statement(fmt::format("refused([&] {{ {}; }}, {}{})", call, spell_.list(texts), never));
    } else {
      open(fmt::format("with refused({}{}):", spell_.list(texts), never));
      statement(call);
      close();
    }
  }

  void checks() {
    if (refused_) return;
    if (!answer_.open.empty()) return comment(fmt::format("Numbers are not asserted: {}.", answer_.open));
    if (answer_.mode == Mode::second)
      for (std::size_t k = 0; k < leaves_.size(); ++k) {
        const std::string& leaf = chain_.names[leaves_[k]];
        check("gradient of " + leaf, fmt::format("results1[{}]", k), *answer_.reference.gradients[leaves_[k]], true);
        check("second derivative of " + leaf, fmt::format("results2[{}]", k), *answer_.directed[leaves_[k]], true);
      }
    if (answer_.mode == Mode::forward)
      for (std::size_t v = 0; v < answer_.directed.size(); ++v)
        if (answer_.directed[v])
          check("tangent of " + chain_.names[v],
                cpp_ ? names_[v] + "._fw_grad(level.number)" : "forward_ad.unpack_dual(" + names_[v] + ").tangent",
                *answer_.directed[v], true);
    if (answer_.mode != Mode::reverse) return;
    for (const Value v : telling_values(chain_, typed_, answer_))
      check(chain_.names[v], names_[v], *answer_.reference.values[v], false);
    if (answer_.reference.nan)
      return comment("Gradients are not asserted: through NaN they depend on the kernel's loop.");
    for (std::size_t v = 0; v < answer_.reference.gradients.size(); ++v)
      if (answer_.reference.gradients[v])
        check("gradient of " + chain_.names[v], names_[v] + (cpp_ ? ".grad()" : ".grad"),
              *answer_.reference.gradients[v], true);
  }
  void check(const std::string& what, const std::string& observed, const Spread& expected, bool gradient) {
    body_.check = true;
    auto bounds = rounded_up(tolerances(expected, roundoff_of(expected), tolerance_for(chain_, gradient)));
    if (answer_.mode != Mode::reverse)  // as compare_derivatives has it
      for (std::size_t e = 0; e < bounds.size(); ++e)
        if (std::abs(expected.value[e]) < underflowing) bounds[e] = std::max(bounds[e], underflowing);
    statement(
        fmt::format("check(\"{}\", {}, {}, {})", what, observed, spell_.list(expected.value), spell_.list(bounds)));
  }

  const Chain& chain_;
  const Typed& typed_;
  const Answer& answer_;
  const bool cpp_, forward_;
  const std::vector<std::string> names_;
  const Speller spell_;
  ReproBody body_{};
  std::set<Value> ahead_{};       // declared already
  std::vector<Value> leaves_{};  // whose second derivatives are asked for
  std::size_t depth_ = 0;
  std::size_t opened_at_ = 0;  // where the innermost region begins
  int steps_ = 0, backwards_ = 0, unpacked_ = 0;
  bool refused_ = false;
};

}  // namespace

ReproBody repro_body(Language language, const Chain& chain, const Typed& typed, const Answer& answer) {
  return Writer(language, chain, typed, answer).write();
}

}  // namespace gradsmith
