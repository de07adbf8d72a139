#include "harness/print.hpp"

#include <charconv>
#include <cmath>

#include "harness/op.hpp"

namespace gradsmith {
namespace {

/// Writes statements of one chain onto a text.
class Printer {
 public:
  explicit Printer(const Chain& chain) : chain_(chain) {}
  std::string text{};

  void operator()(const Input& input) {
    name(input.name);
    text += " = input ";
    text += dtype_name(input.dtype);
    numbers(input.shape);
    if (input.requires_grad) text += " requires_grad";
    if (input.strides) {
      text += " strides=";
      numbers(*input.strides);
    }
    if (input.offset != 0) text += " offset=" + std::to_string(input.offset);
    if (same_spec(input.values, Spec{})) return;
    text += " values=";
    spec(input.values);
  }

  void operator()(const Step& step) {
    results(step.results);
    text += step.op->name;
    text += step.inplace ? "_(" : "(";
    const auto& params = step.op->params;
    std::vector<bool> positional(params.size(), false);
    bool hole = false;  // an argument left out before: from here on positions would shift
    first_ = true;
    for (std::size_t i = 0; i < params.size(); ++i) {
      if (left_out(params[i], step.args[i]))
        hole = true;
      else
        positional[i] = !hole && is_operand(params[i], step.args[i]);
      if (!positional[i]) continue;
      comma();
      argument(step.args[i]);
    }
    for (std::size_t i = 0; i < params.size(); ++i) {
      if (positional[i] || left_out(params[i], step.args[i])) continue;
      comma();
      text += params[i].name;
      text += '=';
      argument(step.args[i]);
    }
    text += ')';
  }

  void operator()(const Backward& backward) {
    results(backward.results);
    text += "backward(";
    first_ = true;
    for (const Value root : backward.roots) {
      comma();
      name(root);
    }
    if (backward.wrt) {
      comma();
      text += "wrt=";
      list(*backward.wrt, [this](Value value) { name(value); });
    }
    if (backward.cotangent) {
      comma();
      text += "cotangent=";
      spec(*backward.cotangent);
    }
    flag(backward.retain_graph, "retain_graph");
    flag(backward.create_graph, "create_graph");
    flag(backward.may_fail, "may_fail");
    text += ')';
  }

  void operator()(const RegionBegin& region) {
    text += region.kind == RegionBegin::Kind::no_grad ? "no_grad {" : "inference {";
  }
  void operator()(const RegionEnd&) { text += '}'; }

  void comment(std::string_view line) {
    text += line.empty() ? "#" : "# ";
    text += line;
    text += '\n';
  }

 private:
  static bool left_out(const Param& param, const Argument& argument) {
    return param.optional && same_argument(param.preset, argument);
  }
  /// A tensor, or a number that must be given where a tensor could stand. `out` is always named.
  static bool is_operand(const Param& param, const Argument& argument) {
    if (param.name == "out") return false;
    return std::holds_alternative<Ref>(argument) || std::holds_alternative<std::vector<Ref>>(argument) ||
           (param.kind == Kind::tensor_or_number && !param.optional && std::holds_alternative<double>(argument));
  }

  void name(Value value) { text += value == dropped ? "_" : chain_.names[static_cast<std::size_t>(value)]; }
  void comma() {
    if (!first_) text += ", ";
    first_ = false;
  }
  void flag(bool set, std::string_view word) {
    if (!set) return;
    comma();
    text += word;
  }
  void results(const std::vector<Value>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i > 0) text += ", ";
      name(values[i]);
    }
    if (!values.empty()) text += " = ";
  }
  template <class List, class Each>
  void list(const List& items, Each each) {
    text += '[';
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i > 0) text += ", ";
      each(items[i]);
    }
    text += ']';
  }
  template <class List>
  void numbers(const List& items) {
    list(items, [this](auto number) { text += print_number(static_cast<double>(number)); });
  }
  void spec(const Spec& spec) {
    switch (spec.kind) {
      case Spec::Kind::list:
        return numbers(spec.list);
      case Spec::Kind::normal:
        text += "normal(";
        break;
      case Spec::Kind::edges:
        text += "edges(";
        break;
      case Spec::Kind::uniform:
        text += "uniform(" + print_number(spec.lo) + ", " + print_number(spec.hi) + ", ";
        break;
    }
    text += std::to_string(spec.seed) + ")";
  }
  void argument(const Argument& argument) {
    struct Write {
      Printer& p;
      void operator()(None) { p.text += "none"; }
      void operator()(bool value) { p.text += value ? "true" : "false"; }
      void operator()(double value) { p.text += print_number(value); }
      void operator()(const std::string& value) { p.text += '"' + value + '"'; }
      void operator()(DType value) { p.text += dtype_name(value); }
      void operator()(Ref ref) { p.name(ref.value); }
      void operator()(const std::vector<Ref>& refs) {
        p.list(refs, [this](Ref ref) { p.name(ref.value); });
      }
      void operator()(const std::vector<double>& items) { p.numbers(items); }
    };
    std::visit(Write{*this}, argument);
  }

  const Chain& chain_;
  bool first_ = true;
};

}  // namespace

std::string print(const Chain& chain) {
  Printer out(chain);
  out.text = "gradsmith 1\n";
  for (const std::string& comment : chain.comments) out.comment(comment);
  std::size_t depth = 0;
  auto remark = chain.remarks.begin();
  const auto remarks_before = [&](std::size_t statement) {
    for (; remark != chain.remarks.end() && remark->at <= statement && !remark->behind; ++remark) {
      out.text.append(2 * depth, ' ');
      out.comment(remark->text);
    }
  };
  for (std::size_t i = 0; i < chain.statements.size(); ++i) {
    const Statement& statement = chain.statements[i];
    remarks_before(i);
    if (std::holds_alternative<RegionEnd>(statement) && depth > 0) --depth;
    out.text.append(2 * depth, ' ');
    std::visit(out, statement);
    if (remark != chain.remarks.end() && remark->at == i && remark->behind) {
      out.text += "  ";
      out.comment((remark++)->text);
    } else {
      out.text += '\n';
    }
    if (std::holds_alternative<RegionBegin>(statement)) ++depth;
  }
  remarks_before(static_cast<std::size_t>(-1));
  return std::move(out.text);
}

std::string print(const Chain& chain, const Statement& statement) {
  Printer out(chain);
  std::visit(out, statement);
  return std::move(out.text);
}

std::string print_number(double value) {
  if (std::isnan(value)) return "nan";
  char buffer[32];
  const bool plain = value == std::trunc(value) && std::fabs(value) < 1e15 && !(value == 0 && std::signbit(value));
  // The longest double takes 24 characters: to_chars cannot fail here.
  char* const last = buffer + sizeof buffer;
  char* const end = plain ? std::to_chars(buffer, last, static_cast<std::int64_t>(value)).ptr
                          : std::to_chars(buffer, last, value).ptr;
  return std::string(buffer, end);
}

}  // namespace gradsmith
