// The words of one line of a chain file. Knows characters, nothing of statements, ops or chains.
// Inside the parser errors are thrown as ParseError; parse() is where they end.
#pragma once

#include <cstdint>
#include <string_view>

#include "harness/parse.hpp"

namespace gradsmith {

/// Throws unless the whole text is within the size limit, UTF-8, and free of control characters other than tab, LF and
/// CR LF. `column` of an error counts bytes.
void check_characters(std::string_view text);

/// One word of a line. `text` points into the line; of a string it is what stands between the quotes.
struct Token {
  enum class Kind : std::uint8_t { word, number, string, sign, end };
  Kind kind = Kind::end;
  std::string_view text{};
  int column = 1;
  bool is(char sign) const { return kind == Kind::sign && text.front() == sign; }
  bool is(std::string_view word) const { return kind == Kind::word && text == word; }
};
/// The token as an error message names it: `"relu"`, `end of line`.
std::string describe(const Token& token);

/// Reads a line token by token, one ahead. A `#` outside a string ends the line.
class Lexer {
 public:
  /// `line` without its line end.
  Lexer(std::string_view line, int number) : line_(line), number_(number) { advance(); }

  /// The token that comes next.
  const Token& peek() const { return token_; }
  /// Takes it.
  Token take();
  /// Takes the next token if it is this sign.
  bool accept(char sign);
  /// Takes this sign; `expected` says what should have stood here.
  Token expect(char sign, std::string_view expected);
  /// The next token is a word and `=` follows it.
  bool names_argument() const;
  /// The comment that ends the line, with its `#`; empty if none. Only at the end of the line.
  std::string_view comment() const { return line_.substr(at_); }

  [[noreturn]] void fail(const Token& at, std::string message) const;
  /// "expected WHAT, found TOKEN" at the next token.
  [[noreturn]] void unexpected(std::string_view expected) const;
  int line_number() const { return number_; }

 private:
  void advance();
  void read_string();
  std::size_t skip_blanks(std::size_t at) const;

  std::string_view line_;
  int number_;
  std::size_t at_ = 0;  // after the token that comes next
  Token token_{};
};

/// Longest word, in bytes.
inline constexpr std::size_t longest_word = 255;

/// `token` as a double: decimal or hexadecimal, or the words inf and nan. Throws if it is no number.
double read_number(const Lexer& lexer, const Token& token);
/// `token` as an integer within 2^53. Throws.
std::int64_t read_integer(const Lexer& lexer, const Token& token);
/// `token` as an unsigned 64-bit decimal. Throws.
std::uint64_t read_seed(const Lexer& lexer, const Token& token);

}  // namespace gradsmith
