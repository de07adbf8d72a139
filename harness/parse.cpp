#include "harness/parse.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "harness/parser.hpp"
#include "harness/print.hpp"
#include "harness/spelling.hpp"

namespace gradsmith {
namespace {

constexpr std::string_view magic = "gradsmith 1";

constexpr std::array<std::string_view, 19> keywords{
    "backward",  "bf16",  "bool",     "create_graph", "f16",     "f32",  "f64",           "false",        "i64", "inf",
    "inference", "input", "may_fail", "nan",          "no_grad", "none", "requires_grad", "retain_graph", "true"};

std::string_view trimmed_right(std::string_view text) {
  const std::size_t last = text.find_last_not_of(" \t");
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

}  // namespace

std::string format_error(std::string_view file, const ParseError& error) {
  return std::string(file) + ":" + std::to_string(error.line) + ":" + std::to_string(error.column) + ": " +
         error.message;
}

bool is_keyword(std::string_view word) { return std::find(keywords.begin(), keywords.end(), word) != keywords.end(); }

std::variant<Chain, ParseError> parse(std::string_view text) {
  try {
    check_characters(text);
    Chain chain = Parser(text).chain();
    // Canonical text may be longer (indentation, spaces), but at most 65 times: small files need no look.
    if (text.size() > Limits::bytes / 128 && print(chain).size() > Limits::bytes)
      throw ParseError{1, 1,
                       "the canonical form of this file has more than " + std::to_string(Limits::bytes) +
                           " bytes; expected no more"};
    return chain;
  } catch (ParseError& error) {
    return std::move(error);
  }
}

Chain Parser::chain() && {
  if (text_.empty()) throw ParseError{1, 1, "the file is empty; expected \"gradsmith 1\" as its first line"};
  for (std::size_t start = 0; start < text_.size();) {
    const std::size_t end = std::min(text_.find('\n', start), text_.size());
    std::string_view line = text_.substr(start, end - start);
    start = end + 1;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (++line_number_ == 1)
      read_magic(line);
    else
      read_line(line);
  }
  if (!open_.empty()) throw open_.back();
  return std::move(chain_);
}

void Parser::read_magic(std::string_view line) {
  line = trimmed_right(line);
  if (line == magic) return;
  if (line.starts_with("gradsmith "))
    throw ParseError{1, 11, "unknown version \"" + std::string(line.substr(10, 40)) + "\"; expected \"gradsmith 1\""};
  throw ParseError{1, 1, "expected \"gradsmith 1\" as the first line"};
}

void Parser::read_line(std::string_view line) {
  Lexer lexer(line, line_number_);
  const std::size_t at = chain_.statements.size();
  const bool behind = lexer.peek().kind != Token::Kind::end;
  if (behind) statement(lexer);
  keep_comment(lexer.comment(), at, behind);
}

void Parser::keep_comment(std::string_view comment, std::size_t at, bool behind) {
  if (comment.empty()) return;
  comment.remove_prefix(comment.starts_with("# ") ? 2 : 1);
  comment = trimmed_right(comment);
  if (at == 0 && !behind)
    chain_.comments.emplace_back(comment);
  else
    chain_.remarks.push_back({at, std::string(comment), behind});
}

void Parser::statement(Lexer& line) {
  const Token first = line.peek();
  if (chain_.statements.size() == Limits::statements)
    line.fail(first, "more than " + std::to_string(Limits::statements) + " statements; expected no more");
  if (first.is('}')) {
    if (open_.empty()) line.fail(first, "\"}\" closes no region; expected a statement");
    open_.pop_back();
    line.take();
    return add(line, first, RegionEnd{});
  }
  if (first.kind != Token::Kind::word) line.unexpected("a statement");
  line.take();
  if (first.is("no_grad")) return open_region(line, first, RegionBegin::Kind::no_grad);
  if (first.is("inference")) return open_region(line, first, RegionBegin::Kind::inference);

  std::vector<Token> names;
  Token word = first;  // `input`, `backward` or the op
  if (!line.peek().is('(')) {
    names.push_back(first);
    while (line.accept(',')) {
      if (line.peek().kind != Token::Kind::word) line.unexpected("a name");
      names.push_back(line.take());
    }
    if (first.is("input") || first.is("backward"))
      line.fail(first, first.is("input") ? "an input needs a name; expected NAME = input DTYPE[SHAPE]"
                                         : "expected \"(\" after backward");
    line.expect('=', "\"=\" or \"(\"");
    for (const Token& name : names)
      if (name.text != "_") check_new_name(line, name);
    if (line.peek().kind != Token::Kind::word) line.unexpected("an op, input or backward");
    word = line.take();
  }

  if (word.is("input")) {
    if (names.size() != 1 || names[0].text == "_") line.fail(first, "an input has one name; expected NAME = input");
    if (!open_.empty()) line.fail(word, "an input may not stand inside a region; expected it outside");
    Input read = input(line);
    read.name = define(line, names[0]);
    return add(line, word, std::move(read));
  }
  if (!line.peek().is('(')) line.unexpected("\"(\"");
  if (word.is("backward")) {
    Backward read = backward(line, names.size());
    read.results = define(line, names);
    const bool flat = read.cotangent && read.cotangent->kind == Spec::Kind::list;
    add(line, word, read);
    if (flat) check_cotangent(line, word, read);
    return;
  }
  Step read = step(line, word);
  if (read.inplace && !names.empty())
    line.fail(first, std::string(word.text) + " writes its first operand and defines no name; expected " +
                         std::string(word.text) + "(...) alone");
  if (!read.inplace && names.empty())
    line.fail(word, std::string(word.text) + " gives a result; expected NAME = " + std::string(word.text) + "(...)");
  read.results = define(line, names);
  add(line, word, std::move(read));
}

void Parser::open_region(Lexer& line, const Token& word, RegionBegin::Kind kind) {
  line.expect('{', "\"{\"");
  if (open_.size() == Limits::regions)
    line.fail(word, "more than " + std::to_string(Limits::regions) + " regions inside each other; expected no more");
  open_.push_back({line_number_, word.column, "this region is never closed; expected \"}\" on a line of its own"});
  add(line, word, RegionBegin{kind});
}

void Parser::add(const Lexer& line, const Token& at, Statement statement) {
  if (line.peek().kind != Token::Kind::end) line.unexpected("end of line");
  // After a refusal the typer knows no more types and only takes note.
  if (auto message = typer_.add(chain_, statement)) line.fail(at, std::move(*message));
  chain_.statements.push_back(std::move(statement));
}

void Parser::check_new_name(const Lexer& line, const Token& name) const {
  if (is_keyword(name.text)) line.fail(name, describe(name) + " is a keyword; expected a name");
  if (name.text.front() == '_') line.fail(name, "expected a name that starts with a letter, found " + describe(name));
  if (const auto old = values_.find(name.text); old != values_.end())
    line.fail(name, describe(name) + " is defined already, in line " +
                        std::to_string(defined_in_[static_cast<std::size_t>(old->second)]) + "; expected a new name");
}

Value Parser::define(const Lexer& line, const Token& name) {
  check_new_name(line, name);
  const Value value = static_cast<Value>(chain_.names.size());
  chain_.names.emplace_back(name.text);
  values_.emplace(name.text, value);
  defined_in_.push_back(line_number_);
  return value;
}

std::vector<Value> Parser::define(const Lexer& line, const std::vector<Token>& names) {
  std::vector<Value> values;
  values.reserve(names.size());
  for (const Token& name : names) values.push_back(name.text == "_" ? dropped : define(line, name));
  return values;
}

Value Parser::defined(const Lexer& line, const Token& name) const {
  const auto found = values_.find(name.text);
  if (found != values_.end()) return found->second;
  const std::string_view nearest = nearest_word(name.text, chain_.names);
  line.fail(name,
            "undefined name " + describe(name) +
                (nearest.empty() ? "; expected a name defined above" : "; nearest: \"" + std::string(nearest) + "\""));
}

Value Parser::read_name(Lexer& line, std::string_view expected) const {
  const Token& name = line.peek();
  if (name.kind != Token::Kind::word || is_keyword(name.text)) line.unexpected(expected);
  return defined(line, line.take());
}

std::vector<Value> Parser::read_names(Lexer& line) const {
  std::vector<Value> names;
  line.expect('[', "a list of names in [ ]");
  do names.push_back(read_name(line, "the name of a tensor"));
  while (line.accept(','));
  line.expect(']', "\",\" or \"]\"");
  return names;
}

}  // namespace gradsmith
