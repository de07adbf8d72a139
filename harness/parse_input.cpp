// `NAME = input DTYPE[SHAPE] ...` and the sources of values.
#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "harness/parser.hpp"
#include "harness/values.hpp"

namespace gradsmith {
namespace {

DType read_dtype(Lexer& line) {
  const Token word = line.take();
  for (const DType dtype : {DType::f64, DType::f32, DType::bf16, DType::f16, DType::i64, DType::boolean})
    if (word.is(dtype_name(dtype))) return dtype;
  if (word.kind != Token::Kind::word) line.fail(word, "expected a dtype, found " + describe(word));
  line.fail(word, "unknown dtype " + describe(word) + "; expected f64, f32, bf16, f16, i64 or bool");
}

/// `[2, 3]`: sizes, strides.
Shape read_sizes(Lexer& line, std::string_view what) {
  Shape sizes;
  line.expect('[', "\"[\"");
  if (line.accept(']')) return sizes;
  do {
    const Token token = line.take();
    if (sizes.size() == Limits::dimensions)
      line.fail(token, "more than " + std::to_string(Limits::dimensions) + " dimensions; expected no more");
    sizes.push_back(read_integer(line, token));
    if (sizes.back() < 0)
      line.fail(token, "expected " + std::string(what) + " of at least 0, found " + describe(token));
  } while (line.accept(','));
  line.expect(']', "\",\" or \"]\"");
  return sizes;
}

/// a * b, capped just above the limit on elements: nothing overflows.
std::int64_t capped_product(std::int64_t a, std::int64_t b) {
  constexpr std::int64_t cap = Limits::elements + 1;
  return a == 0 || b == 0 ? 0 : a > cap / b ? cap : std::min(a * b, cap);
}

}  // namespace

Input Parser::input(Lexer& line) {
  Input input;
  input.dtype = read_dtype(line);
  const Token shape = line.peek();
  input.shape = read_sizes(line, "a size");
  Token layout = shape, values = line.peek();
  bool strides = false, offset = false, spec = false, grad = false;
  const auto once = [&](bool& seen, const Token& at) {
    if (std::exchange(seen, true)) line.fail(at, std::string(at.text) + " is given twice");
  };
  while (line.peek().kind == Token::Kind::word) {
    const Token word = line.peek();
    if (word.is("requires_grad")) {
      once(grad, word);
      if (!is_floating(input.dtype))
        line.fail(word, std::string(dtype_name(input.dtype)) + " cannot require a gradient; expected a floating dtype");
    } else if (word.is("strides")) {
      once(strides, word);
      layout = word;
    } else if (word.is("offset")) {
      once(offset, word);
      if (!strides) layout = word;
    } else if (word.is("values")) {
      once(spec, word);
      values = word;
    } else {
      line.fail(word, "unknown attribute " + describe(word) +
                          " of an input; expected requires_grad, strides, offset or values");
    }
    input_attribute(line, input);
  }
  check_extent(line, layout, input);
  check_values(line, values, input);
  return input;
}

void Parser::input_attribute(Lexer& line, Input& input) {
  const Token word = line.take();
  if (word.is("requires_grad")) {
    input.requires_grad = true;
    return;
  }
  line.expect('=', "\"=\"");
  if (word.is("values")) {
    input.values = spec(line);
  } else if (word.is("strides")) {
    input.strides = read_sizes(line, "a stride");
    if (input.strides->size() != input.shape.size())
      line.fail(word, std::to_string(input.strides->size()) + " strides for " + std::to_string(input.shape.size()) +
                          " dimensions; expected one each");
  } else {
    const Token value = line.take();
    input.offset = read_integer(line, value);
    if (input.offset < 0) line.fail(value, "expected an offset of at least 0, found " + describe(value));
  }
}

/// Elements and storage cells against the limit, before anything of that size exists. A size of 0 counts as 1, so that
/// the strides of an empty input cannot overflow either.
void Parser::check_extent(const Lexer& line, const Token& at, const Input& input) {
  std::int64_t count = 1, cells = 1;
  for (const std::int64_t size : input.shape) count = capped_product(count, std::max<std::int64_t>(size, 1));
  const auto more = [&](std::int64_t by) { cells = std::min(cells + by, Limits::elements + 1); };
  more(std::min(input.offset, Limits::elements + 1));
  if (!input.strides)
    more(count - 1);
  else  // a stride counts even where its dimension has one element: it cannot overflow later
    for (std::size_t d = 0; d < input.shape.size(); ++d)
      more(capped_product(std::max<std::int64_t>(input.shape[d], 2) - 1, (*input.strides)[d]));
  elements_ += std::max(count, cells);
  if (elements_ > Limits::elements)
    line.fail(at,
              "the inputs take more than " + std::to_string(Limits::elements) + " elements in all; expected no more");
}

void Parser::check_values(const Lexer& line, const Token& at, const Input& input) {
  const Spec& spec = input.values;
  if (input.dtype == DType::i64 && spec.kind == Spec::Kind::uniform && !(spec.lo >= -0x1p53 && spec.hi <= 0x1p53))
    line.fail(at, "the bounds of an i64 input must lie within 2^53");
  if (spec.kind != Spec::Kind::list) return;
  const auto count = static_cast<std::size_t>(element_count(input.shape));
  if (spec.list.size() != count)
    line.fail(at, "expected " + std::to_string(count) + (count == 1 ? " value" : " values") + ", found " +
                      std::to_string(spec.list.size()));
  for (const double value : spec.list) {
    if (input.dtype == DType::boolean && value != 0 && value != 1)
      line.fail(at, "the values of a bool input are 0 and 1");
    if (input.dtype == DType::i64 && !(std::fabs(value) <= 0x1p53 && value == std::trunc(value)))
      line.fail(at, "the values of an i64 input are integers within 2^53");
  }
  if (!input.strides) return;
  const std::vector<double> values = generate_values(spec, input.dtype, static_cast<std::int64_t>(count));
  const std::vector<std::int64_t> positions = storage_positions(input_layout(input));
  std::map<std::int64_t, double> cells;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double first = cells.emplace(positions[i], values[i]).first->second;
    if (!same_argument(first, values[i]))
      line.fail(at, "elements that share a storage cell are given unequal values; expected equal ones");
  }
}

Spec Parser::spec(Lexer& line) {
  Spec spec;
  if (line.accept('[')) {
    spec.kind = Spec::Kind::list;
    if (line.accept(']')) return spec;
    do spec.list.push_back(read_number(line, line.take()));
    while (line.accept(','));
    line.expect(']', "\",\" or \"]\"");
    return spec;
  }
  const Token word = line.take();
  if (word.is("normal"))
    spec.kind = Spec::Kind::normal;
  else if (word.is("uniform"))
    spec.kind = Spec::Kind::uniform;
  else if (word.is("edges"))
    spec.kind = Spec::Kind::edges;
  else
    line.fail(word, "expected a list, normal(SEED), uniform(LO, HI, SEED) or edges(SEED), found " + describe(word));
  line.expect('(', "\"(\"");
  if (spec.kind == Spec::Kind::uniform) {
    const Token low = line.peek();
    spec.lo = read_number(line, line.take());
    line.expect(',', "\",\"");
    spec.hi = read_number(line, line.take());
    line.expect(',', "\",\"");
    if (!(spec.lo <= spec.hi) || !std::isfinite(spec.hi - spec.lo))
      line.fail(low, "expected finite bounds with LO <= HI");
  }
  spec.seed = read_seed(line, line.take());
  line.expect(')', "\")\"");
  return spec;
}

}  // namespace gradsmith
