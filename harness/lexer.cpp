#include "harness/lexer.hpp"

#include <charconv>
#include <cmath>
#include <limits>

namespace gradsmith {
namespace {

constexpr std::string_view blanks = " \t";
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_word(char c) { return is_letter(c) || is_digit(c) || c == '_'; }

std::string hexadecimal(unsigned char byte) {
  constexpr std::string_view digits = "0123456789abcdef";
  return {'0', 'x', digits[byte >> 4], digits[byte & 15]};
}

/// Length of the UTF-8 sequence that starts a text, 0 if it is none (overlong forms and surrogates are none).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned lead = byte(0);
  const std::size_t length = lead < 0x80   ? 1
                             : lead < 0xc2 ? 0
                             : lead < 0xe0 ? 2
                             : lead < 0xf0 ? 3
                             : lead < 0xf5 ? 4
                                           : 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  const unsigned second = byte(1);
  if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f)) return 0;
  if ((lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f)) return 0;
  return length;
}

}  // namespace

void check_characters(std::string_view text) {
  if (text.size() > Limits::bytes)
    throw ParseError{1, 1,
                     "the file has " + std::to_string(text.size()) + " bytes; at most " +
                         std::to_string(Limits::bytes) + " are allowed"};
  int line = 1;
  std::size_t start = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c < 0x7f) continue;
    if (c == '\t' || (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n')) continue;
    if (c == '\n') {
      ++line;
      start = i + 1;
      continue;
    }
    const int column = static_cast<int>(i - start) + 1;
    if (c < 0x80) throw ParseError{line, column, "control character " + hexadecimal(c) + "; expected text"};
    if (i == 0 && text.starts_with("\xef\xbb\xbf"))
      throw ParseError{1, 1, "the file starts with a byte order mark; expected UTF-8 without one"};
    const std::size_t length = utf8_length(text.substr(i));
    if (length == 0) throw ParseError{line, column, "byte " + hexadecimal(c) + " is not UTF-8; expected UTF-8 text"};
    i += length - 1;
  }
}

std::string describe(const Token& token) {
  if (token.kind == Token::Kind::end) return "end of line";
  if (token.kind == Token::Kind::string) return "a string";
  return "\"" + std::string(token.text.substr(0, 80)) + "\"";
}

void Lexer::fail(const Token& at, std::string message) const {
  throw ParseError{number_, at.column, std::move(message)};
}
void Lexer::unexpected(std::string_view expected) const {
  fail(token_, "expected " + std::string(expected) + ", found " + describe(token_));
}

std::size_t Lexer::skip_blanks(std::size_t at) const {
  const std::size_t next = line_.find_first_not_of(blanks, at);
  return next == std::string_view::npos ? line_.size() : next;
}

Token Lexer::take() {
  const Token taken = token_;
  advance();
  return taken;
}
bool Lexer::accept(char sign) {
  if (!token_.is(sign)) return false;
  advance();
  return true;
}
Token Lexer::expect(char sign, std::string_view expected) {
  if (!token_.is(sign)) unexpected(expected);
  return take();
}
bool Lexer::names_argument() const {
  if (token_.kind != Token::Kind::word) return false;
  const std::size_t next = skip_blanks(at_);
  return next < line_.size() && line_[next] == '=';
}

void Lexer::advance() {
  at_ = skip_blanks(at_);
  const std::size_t start = at_;
  token_ = {Token::Kind::end, {}, static_cast<int>(start) + 1};
  if (start == line_.size() || line_[start] == '#') return;
  const char c = line_[start];
  const bool negative = c == '-';
  const char first = start + negative < line_.size() ? line_[start + negative] : '\0';
  if (c == '"') return read_string();
  if (is_word(c) && !is_digit(c)) {
    while (at_ < line_.size() && is_word(line_[at_])) ++at_;
    token_.kind = Token::Kind::word;
  } else if (is_digit(first) || (negative && is_letter(first))) {
    const bool hex = first == '0' && (line_.substr(start + negative + 1, 1) == "x");
    at_ += negative;
    const auto is_exponent = [&](char e) { return hex ? e == 'p' || e == 'P' : e == 'e' || e == 'E'; };
    for (; at_ < line_.size(); ++at_) {
      const char n = line_[at_];
      if (!is_word(n) && n != '.' && !((n == '+' || n == '-') && is_exponent(line_[at_ - 1]))) break;
    }
    token_.kind = Token::Kind::number;
  } else if (std::string_view("()[]{},=").find(c) != std::string_view::npos) {
    ++at_;
    token_.kind = Token::Kind::sign;
  } else if (static_cast<unsigned char>(c) >= 0x80) {
    fail(token_, "only comments may hold characters outside ASCII; expected a name, a number or punctuation");
  } else {
    fail(token_, std::string("unexpected character \"") + c + "\"; expected a name, a number or punctuation");
  }
  token_.text = line_.substr(start, at_ - start);
  if (token_.text.size() > longest_word)
    fail(token_, "this word is too long; expected at most " + std::to_string(longest_word) + " characters");
}

void Lexer::read_string() {
  const std::size_t start = at_ + 1, close = line_.find('"', start);
  if (close == std::string_view::npos) fail(token_, "this string is never closed; expected \"");
  token_.kind = Token::Kind::string;
  token_.text = line_.substr(start, close - start);
  at_ = close + 1;
}

double read_number(const Lexer& lexer, const Token& token) {
  std::string_view digits = token.text;
  if (token.is("inf") || (token.kind == Token::Kind::number && digits == "-inf"))
    return std::copysign(std::numeric_limits<double>::infinity(), digits[0] == '-' ? -1.0 : 1.0);
  if (token.is("nan")) return std::numeric_limits<double>::quiet_NaN();
  if (token.kind != Token::Kind::number) lexer.fail(token, "expected a number, found " + describe(token));
  const bool negative = digits.front() == '-';
  digits.remove_prefix(negative);
  auto format = std::chars_format::general;
  if (digits.starts_with("0x")) {
    digits.remove_prefix(2);
    format = std::chars_format::hex;
  }
  // from_chars would take words such as "infinity" here.
  const bool starts_well =
      !digits.empty() &&
      (is_digit(digits[0]) || (format == std::chars_format::hex && (digits[0] | 32) >= 'a' && (digits[0] | 32) <= 'f'));
  double value = 0;
  const auto [end, error] = starts_well ? std::from_chars(digits.data(), digits.data() + digits.size(), value, format)
                                        : std::from_chars_result{digits.data(), std::errc::invalid_argument};
  if (error == std::errc::result_out_of_range)
    lexer.fail(token, describe(token) + " is out of range; expected a 64-bit floating-point number");
  if (error != std::errc() || end != digits.data() + digits.size())
    lexer.fail(token, describe(token) + " is no number; expected one like -1, 0.5, 1e-5, 0x1.8p+0, inf or nan");
  return negative ? -value : value;
}

std::int64_t read_integer(const Lexer& lexer, const Token& token) {
  const double value = read_number(lexer, token);
  if (!(std::fabs(value) <= 0x1p53) || value != std::trunc(value))
    lexer.fail(token, "expected an integer within 2^53, found " + describe(token));
  return static_cast<std::int64_t>(value);
}

std::uint64_t read_seed(const Lexer& lexer, const Token& token) {
  std::uint64_t seed = 0;
  const char *begin = token.text.data(), *end = begin + token.text.size();
  const auto [stop, error] = std::from_chars(begin, end, seed);
  if (token.kind != Token::Kind::number || error != std::errc() || stop != end)
    lexer.fail(token, "expected a seed from 0 to 18446744073709551615, found " + describe(token));
  return seed;
}

}  // namespace gradsmith
