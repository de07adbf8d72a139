// What the parts of the parser share: the chain as far as it is read, its names, its types, its limits.
// Only parse*.cpp include this. Errors are thrown as ParseError and end in parse().
#pragma once

#include <string_view>
#include <unordered_map>
#include <vector>

#include "harness/lexer.hpp"
#include "harness/op.hpp"
#include "harness/typing.hpp"

namespace gradsmith {

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}
  /// The whole chain. Throws ParseError.
  Chain chain() &&;

 private:
  // parse.cpp: lines, statements, regions, names
  void read_magic(std::string_view line);
  void read_line(std::string_view line);
  void keep_comment(std::string_view comment, std::size_t at, bool behind);
  void statement(Lexer& line);
  void open_region(Lexer& line, const Token& word, RegionBegin::Kind kind);
  void add(const Lexer& line, const Token& at, Statement statement);
  /// A word that may become a name: no keyword, well formed, not defined yet.
  void check_new_name(const Lexer& line, const Token& name) const;
  Value define(const Lexer& line, const Token& name);
  std::vector<Value> define(const Lexer& line, const std::vector<Token>& names);
  Value defined(const Lexer& line, const Token& name) const;
  Value read_name(Lexer& line, std::string_view expected) const;
  std::vector<Value> read_names(Lexer& line) const;

  // parse_input.cpp: inputs and sources of values
  Input input(Lexer& line);
  void input_attribute(Lexer& line, Input& input);
  void check_extent(const Lexer& line, const Token& at, const Input& input);
  static void check_values(const Lexer& line, const Token& at, const Input& input);
  static Spec spec(Lexer& line);

  // parse_step.cpp: ops, their arguments, and `backward`
  Step step(Lexer& line, const Token& word);
  Argument operand(Lexer& line) const;
  Argument attribute(Lexer& line, const Op& op, const Param& param) const;
  Backward backward(Lexer& line, std::size_t names);
  void backward_argument(Lexer& line, Backward& backward) const;
  void check_cotangent(const Lexer& line, const Token& at, const Backward& backward) const;

  std::string_view text_;
  int line_number_ = 0;
  Chain chain_{};
  Typer typer_{};
  std::unordered_map<std::string_view, Value> values_{};
  std::vector<int> defined_in_{};   // line, by Value
  std::vector<ParseError> open_{};  // what to say of each open region if it is never closed
  std::int64_t elements_ = 0;       // of all inputs so far
};

/// A word that can be no name.
bool is_keyword(std::string_view word);
/// "add(self, other, alpha)", for messages.
std::string signature(const Op& op, bool inplace);

}  // namespace gradsmith
