// Ops with their arguments, and `backward`.
#include <algorithm>
#include <cmath>

#include "harness/parser.hpp"

namespace gradsmith {
namespace {

std::string_view wanted(Kind kind) {
  switch (kind) {
    case Kind::tensor:
      return "a tensor";
    case Kind::tensor_or_number:
      return "a tensor or a number";
    case Kind::tensors:
      return "a list of tensors";
    case Kind::number:
      return "a number";
    case Kind::integer:
      return "an integer";
    case Kind::integers:
      return "a list of integers";
    case Kind::boolean:
      return "true or false";
    case Kind::text:
      return "a string";
    case Kind::dtype:
      return "a dtype (f64, f32, bf16, f16, i64, bool)";
  }
  return "?";
}

bool is_number_token(const Token& token) {
  return token.kind == Token::Kind::number || token.is("inf") || token.is("nan");
}

/// May an operand without a name stand at this parameter?
bool takes_position(const Param& param) { return param.name != "out"; }

[[noreturn]] void wrong_kind(const Lexer& line, const Token& at, const Op& op, const Param& param) {
  line.fail(at, "argument \"" + std::string(param.name) + "\" of " + std::string(op.name) + ": expected " +
                    std::string(wanted(param.kind)) + ", found " + describe(at));
}

bool is_integer(double value) { return std::fabs(value) <= 0x1p53 && value == std::trunc(value); }

/// An operand put at a parameter, or an error.
Argument fitted(const Lexer& line, const Token& at, const Op& op, const Param& param, Argument argument) {
  const double* number = std::get_if<double>(&argument);
  switch (param.kind) {
    case Kind::tensor:
      if (std::holds_alternative<Ref>(argument)) return argument;
      break;
    case Kind::tensors:
      if (std::holds_alternative<std::vector<Ref>>(argument)) return argument;
      break;
    case Kind::tensor_or_number:
      if (number || std::holds_alternative<Ref>(argument)) return argument;
      break;
    case Kind::number:
      if (number) return argument;
      break;
    case Kind::integer:
      if (number && is_integer(*number)) return argument;
      break;
    case Kind::integers:
      if (number && is_integer(*number)) return std::vector<double>{*number};
      break;
    case Kind::boolean:
    case Kind::text:
    case Kind::dtype:
      break;
  }
  wrong_kind(line, at, op, param);
}

/// The op a word means, and its form; or an error.
Step resolve(const Lexer& line, const Token& word) {
  const bool inplace = word.text.ends_with('_');
  const std::string_view stem = word.text.substr(0, word.text.size() - inplace);
  const Op* op = find_op(stem);
  if (!op) {
    std::string nearest = nearest_op(stem);
    const Op* other = find_op(nearest);
    if (other && (inplace ? other->inplace != nullptr : !other->pure && !other->pure_many)) nearest += '_';
    line.fail(word, "unknown op " + describe(word) +
                        (nearest.empty() ? "; expected an op" : "; nearest: \"" + nearest + "\""));
  }
  const std::string name(op->name);
  if (inplace && !op->inplace) line.fail(word, "op \"" + name + "\" has no in-place form; expected \"" + name + "\"");
  if (!inplace && !op->pure && !op->pure_many)
    line.fail(word, "op \"" + name + "\" has only an in-place form; expected \"" + name + "_\"");
  return Step{.op = op, .inplace = inplace};
}

}  // namespace

std::string signature(const Op& op, bool inplace) {
  std::string text(op.name);
  text += inplace ? "_(" : "(";
  for (std::size_t i = 0; i < op.params.size(); ++i) {
    if (i > 0) text += ", ";
    text += op.params[i].name;
  }
  return text + ")";
}

Step Parser::step(Lexer& line, const Token& word) {
  Step step = resolve(line, word);
  const Op& op = *step.op;
  const auto& params = op.params;
  line.expect('(', "\"(\"");
  struct Operand {
    Token at;
    Argument argument;
  };
  std::vector<Operand> operands;
  std::vector<bool> given(params.size(), false);
  step.args.resize(params.size());
  bool any_named = false;
  if (!line.accept(')')) {
    do {
      const Token at = line.peek();
      if (!line.names_argument()) {
        if (any_named)
          line.fail(at, "operands come before named arguments; expected NAME=VALUE, found " + describe(at));
        if (operands.size() == params.size())
          line.fail(at, "too many operands; expected " + signature(op, step.inplace));
        operands.push_back({at, operand(line)});
        continue;
      }
      any_named = true;
      const int found = param_index(op, at.text);
      if (found < 0)
        line.fail(at, std::string(op.name) + " has no argument " + describe(at) + "; expected " +
                          signature(op, step.inplace));
      const auto i = static_cast<std::size_t>(found);
      if (given[i]) line.fail(at, "argument " + describe(at) + " of " + std::string(op.name) + " is given twice");
      given[i] = true;
      line.take();
      line.take();  // the =
      step.args[i] = attribute(line, op, params[i]);
    } while (line.accept(','));
    line.expect(')', "\",\" or \")\"");
  }

  std::size_t i = 0;
  for (Operand& operand : operands) {
    while (i < params.size() && (given[i] || !takes_position(params[i]))) ++i;
    if (i == params.size()) line.fail(operand.at, "too many operands; expected " + signature(op, step.inplace));
    given[i] = true;
    step.args[i] = fitted(line, operand.at, op, params[i], std::move(operand.argument));
  }
  for (i = 0; i < params.size(); ++i) {
    if (given[i]) continue;
    if (!params[i].optional)
      line.fail(word, "argument \"" + std::string(params[i].name) + "\" of " + std::string(op.name) +
                          " is missing; expected " + signature(op, step.inplace));
    step.args[i] = params[i].preset;
  }
  const bool has_tensor = std::any_of(step.args.begin(), step.args.end(), [](const Argument& argument) {
    return std::holds_alternative<Ref>(argument) || std::holds_alternative<std::vector<Ref>>(argument);
  });
  if (step.inplace ? !std::holds_alternative<Ref>(step.args[0]) : !has_tensor)
    line.fail(word, std::string(word.text) + " needs a tensor; expected " + signature(op, step.inplace));
  return step;
}

/// An argument without a name: a tensor, a number, or a list of tensors.
Argument Parser::operand(Lexer& line) const {
  const Token at = line.peek();
  if (is_number_token(at)) return read_number(line, line.take());
  constexpr std::string_view expected = "a tensor or a number (attributes are written NAME=VALUE)";
  if (at.is('[')) {
    Lexer ahead = line;
    ahead.take();
    if (ahead.peek().kind != Token::Kind::word || is_number_token(ahead.peek())) line.unexpected(expected);
    std::vector<Ref> list;
    for (const Value value : read_names(line)) list.push_back({value});
    return list;
  }
  return Ref{read_name(line, expected)};
}

/// The value of a named argument.
Argument Parser::attribute(Lexer& line, const Op& op, const Param& param) const {
  const Token at = line.peek();
  if (at.is("none") && param.optional && std::holds_alternative<None>(param.preset)) {
    line.take();
    return None{};
  }
  switch (param.kind) {
    case Kind::tensor:
    case Kind::tensor_or_number:
    case Kind::number:
    case Kind::integer:
      if (!is_number_token(at) && (at.kind != Token::Kind::word || is_keyword(at.text) || !takes_tensor(param.kind)))
        break;
      return fitted(line, at, op, param, operand(line));
    case Kind::tensors:
      if (!at.is('[')) break;
      return fitted(line, at, op, param, operand(line));
    case Kind::integers: {
      if (is_number_token(at)) return fitted(line, at, op, param, operand(line));
      if (!at.is('[')) break;
      line.take();
      std::vector<double> list;
      if (line.accept(']')) return list;
      do list.push_back(static_cast<double>(read_integer(line, line.take())));
      while (line.accept(','));
      line.expect(']', "\",\" or \"]\"");
      return list;
    }
    case Kind::boolean:
      if (!at.is("true") && !at.is("false")) break;
      return line.take().text == "true";
    case Kind::text:
      if (at.kind != Token::Kind::string) break;
      return std::string(line.take().text);
    case Kind::dtype:
      for (const DType dtype : {DType::f64, DType::f32, DType::bf16, DType::f16, DType::i64, DType::boolean}) {
        if (!at.is(dtype_name(dtype))) continue;
        line.take();
        return dtype;
      }
      break;
  }
  wrong_kind(line, at, op, param);
}

Backward Parser::backward(Lexer& line, std::size_t names) {
  Backward backward;
  const Token open = line.expect('(', "\"(\"");
  bool roots_done = false;
  do {
    const Token& at = line.peek();
    const bool flag = at.is("retain_graph") || at.is("create_graph") || at.is("may_fail");
    if (flag || line.names_argument()) {
      roots_done = true;
      backward_argument(line, backward);
    } else if (roots_done) {
      line.unexpected("wrt=, cotangent=, retain_graph, create_graph or may_fail");
    } else {
      backward.roots.push_back(read_name(line, "the name of a tensor"));
    }
  } while (line.accept(','));
  line.expect(')', "\",\" or \")\"");
  if (backward.roots.empty()) line.fail(open, "backward needs a root; expected backward(NAME, ...)");
  if (names > 0 && !backward.wrt) line.fail(open, "only a backward with wrt=[...] gives gradients a name");
  if (names > 0 && names != backward.wrt->size())
    line.fail(open, "backward gives " + std::to_string(backward.wrt->size()) +
                        " gradients, one for each tensor of wrt; " + std::to_string(names) + " names stand before it");
  return backward;
}

void Parser::backward_argument(Lexer& line, Backward& backward) const {
  const Token word = line.take();
  const auto once = [&](bool seen) {
    if (seen) line.fail(word, std::string(word.text) + " is given twice");
  };
  for (const auto& [flag, set] : {std::pair{"retain_graph", &backward.retain_graph},
                                  {"create_graph", &backward.create_graph},
                                  {"may_fail", &backward.may_fail}}) {
    if (!word.is(std::string_view(flag))) continue;
    once(*set);
    *set = true;
    return;
  }
  if (word.is("wrt")) {
    once(backward.wrt.has_value());
    line.take();  // the =
    backward.wrt = read_names(line);
  } else if (word.is("cotangent")) {
    once(backward.cotangent.has_value());
    line.take();
    backward.cotangent = spec(line);
  } else {
    line.fail(word, "backward has no argument " + describe(word) +
                        "; expected wrt, cotangent, retain_graph, create_graph or may_fail");
  }
}

/// A list of cotangents is flat: as many numbers as the roots have elements, as far as their types are known.
void Parser::check_cotangent(const Lexer& line, const Token& at, const Backward& backward) const {
  if (!typer_.refused().empty()) return;
  std::int64_t count = 0;
  for (const Value root : backward.roots)
    count += element_count(typer_.typed().values[static_cast<std::size_t>(root)].layout.shape);
  const auto found = static_cast<std::int64_t>(backward.cotangent->list.size());
  if (count != found)
    line.fail(at, "expected " + std::to_string(count) + (count == 1 ? " value" : " values") +
                      " of cotangent, one for each element of the roots, found " + std::to_string(found));
}

}  // namespace gradsmith
