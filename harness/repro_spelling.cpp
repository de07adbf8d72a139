#include "harness/repro_spelling.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "harness/guilt.hpp"
#include "harness/print.hpp"

namespace gradsmith {

namespace {

/// The rule: an op is a method of its first operand, `self.name(...)`, in place `self.name_(...)`, in both languages.
/// These are not.
struct Exception {
  std::string_view op;
  std::string_view cpp;         ///< name of the function
  std::string_view python;      ///< name of the function
  bool python_inplace = false;  ///< in place: `inplace=True`, else the name with an underscore
};
constexpr Exception exceptions[] = {
    {"where", "at::where", "torch.where"},
    {"celu", "at::celu", "torch.celu"},
    {"selu", "at::selu", "torch.selu"},
    {"rrelu", "at::rrelu", "torch.rrelu"},
    {"threshold", "at::threshold", "torch.threshold"},
    {"relu6", "at::relu6", "F.relu6", true},
    {"elu", "at::elu", "F.elu", true},
    {"leaky_relu", "at::leaky_relu", "F.leaky_relu", true},
    {"hardtanh", "at::hardtanh", "F.hardtanh", true},
    {"hardsigmoid", "at::hardsigmoid", "F.hardsigmoid", true},
    {"hardswish", "at::hardswish", "F.hardswish", true},
    {"silu", "at::silu", "F.silu", true},
    {"mish", "at::mish", "F.mish", true},
    {"gelu", "at::gelu", "F.gelu"},
    {"softplus", "at::softplus", "F.softplus"},
    {"softshrink", "at::softshrink", "F.softshrink"},
    {"log_sigmoid", "at::log_sigmoid", "F.logsigmoid"},
    {"glu", "at::glu", "F.glu"},
};

const Exception* exception_of(const Op& op) {
  const auto at =
      std::find_if(std::begin(exceptions), std::end(exceptions), [&](const Exception& e) { return e.op == op.name; });
  return at == std::end(exceptions) ? nullptr : at;
}

/// PyTorch has no function for the form (a slice is an index there), or one that rejects what the op itself takes: then
/// only the op's entry in `torch.ops.aten` is left.
bool needs_aten(const Step& step) {
  const Args args(step.args);
  const std::string_view name = step.op->name;
  if (name == "slice" || (name == "gelu" && step.inplace)) return true;
  if (name == "elu") return args[2] != 1 || args[3] != 1;  // scale, input_scale
  return name == "hardtanh" && args[1] > args[2];
}

bool left_out(const Param& param, const Argument& argument) {
  return param.optional && same_argument(param.preset, argument);
}

bool looks_integer(std::string_view text) { return text.find_first_not_of("-0123456789") == text.npos; }

bool is_operand(const Param& param, const Argument& argument) {
  return std::holds_alternative<Ref>(argument) || std::holds_alternative<std::vector<Ref>>(argument) ||
         (param.kind == Kind::tensor_or_number && !param.optional);
}

}  // namespace

std::string Speller::dtype(DType dtype) const {
  const bool cpp = language == Language::cpp;
  switch (dtype) {
    case DType::f64:
      return cpp ? "at::kDouble" : "torch.float64";
    case DType::f32:
      return cpp ? "at::kFloat" : "torch.float32";
    case DType::bf16:
      return cpp ? "at::kBFloat16" : "torch.bfloat16";
    case DType::f16:
      return cpp ? "at::kHalf" : "torch.float16";
    case DType::i64:
      return cpp ? "at::kLong" : "torch.int64";
    case DType::boolean:
      return cpp ? "at::kBool" : "torch.bool";
  }
  return {};
}

std::string Speller::list(const std::vector<std::string>& items) const {
  return fmt::format("{}{}{}", language == Language::cpp ? "{" : "[", fmt::join(items, ", "),
                     language == Language::cpp ? "}" : "]");
}

std::string Speller::list(const std::vector<double>& items) const {
  std::vector<std::string> texts;
  for (const double item : items) texts.push_back(number(item));
  return list(texts);
}

std::string Speller::list(const Shape& items) const { return list(std::vector<double>(items.begin(), items.end())); }

std::string Speller::number(double value) const {
  const bool cpp = language == Language::cpp;
  if (std::isnan(value)) return cpp ? "NAN" : "math.nan";
  if (std::isinf(value)) return fmt::format("{}{}", value < 0 ? "-" : "", cpp ? "INFINITY" : "math.inf");
  if (value == 0 && std::signbit(value)) return "-0.0";
  // All digits are the shortest text of some doubles beyond what an integer of C++ holds.
  const std::string text = print_number(value);
  return std::abs(value) >= 0x1p63 && looks_integer(text) ? text + ".0" : text;
}

std::string Speller::argument(const Step& step, std::size_t i) const {
  const Param& param = step.op->params[i];
  const Argument& argument = step.args[i];
  const bool cpp = language == Language::cpp;
  if (std::holds_alternative<None>(argument)) {
    if (!cpp) return "None";
    return param.kind == Kind::integers ? "at::OptionalIntArrayRef()" : "std::nullopt";
  }
  if (const auto* flag = std::get_if<bool>(&argument))
    return cpp ? (*flag ? "true" : "false") : *flag ? "True" : "False";
  if (const auto* text = std::get_if<std::string>(&argument)) return fmt::format("\"{}\"", *text);
  if (const auto* type = std::get_if<DType>(&argument)) return dtype(*type);
  if (const auto* ref = std::get_if<Ref>(&argument)) return names[static_cast<std::size_t>(ref->value)];
  if (const auto* refs = std::get_if<std::vector<Ref>>(&argument)) {
    std::vector<std::string> texts;
    for (const Ref& ref : *refs) texts.push_back(names[static_cast<std::size_t>(ref.value)]);
    return list(texts);
  }
  if (const auto* numbers = std::get_if<std::vector<double>>(&argument)) {
    if (cpp && numbers->empty()) return "at::IntArrayRef()";
    // An overload takes one dimension, and braces around it would mean that too.
    if (cpp && step.op->name == "squeeze" && numbers->size() == 1) return number(numbers->front());
    // Dimensions may be named as well: two in braces could be either.
    const bool either = cpp && param.name == "dim" && numbers->size() > 1;
    return either ? fmt::format("at::IntArrayRef({})", list(*numbers)) : list(*numbers);
  }
  const std::string text = number(std::get<double>(argument));
  // An integer where a number is meant would change the type of results.
  const bool real = param.kind == Kind::number || param.kind == Kind::tensor_or_number;
  return real && looks_integer(text) ? text + ".0" : text;
}

/// What stands in the brackets: without names in C++, up to the last argument that is no default; in Python operands
/// first, then the others by name.
std::string Speller::arguments(const Step& step, bool method) const {
  const auto& params = step.op->params;
  std::vector<std::string> texts;
  const std::size_t begin = method ? 1 : 0;
  if (language == Language::cpp) {
    std::size_t end = params.size();
    while (end > begin && left_out(params[end - 1], step.args[end - 1])) --end;
    for (std::size_t i = begin; i < end; ++i) texts.push_back(argument(step, i));
  } else {
    bool by_name = false;
    for (std::size_t i = begin; i < params.size(); ++i) {
      const bool out = left_out(params[i], step.args[i]);
      by_name = by_name || out || !is_operand(params[i], step.args[i]);
      if (out) continue;
      const std::string text = argument(step, i);
      texts.push_back(by_name ? fmt::format("{}={}", params[i].name, text) : text);
    }
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

std::string Speller::call(const Step& step) const {
  const Args args(step.args);
  const bool cpp = language == Language::cpp;
  const std::string form = form_of(step);
  const auto self = [&] { return names[static_cast<std::size_t>(args.tensor(0))]; };
  if (step.op->name == "tanhshrink") return fmt::format("{0} - {0}.tanh()", self());
  if (step.op->name == "softsign") return fmt::format("{0} / ({0}.abs() + 1)", self());
  const bool keeps = step.op->name == "mul" || step.op->name == "div" || step.op->name == "sub";
  const bool number = numbers_stay_numbers && keeps && args.is_number(1);
  if (!cpp && number) return fmt::format("torch.ops.aten.{}.Scalar({})", form, arguments(step, false));
  if (!cpp && needs_aten(step)) return fmt::format("torch.ops.aten.{}({})", form, arguments(step, false));
  const Exception* exception = exception_of(*step.op);
  if (!exception) return fmt::format("{}.{}({})", self(), form, arguments(step, true));
  if (cpp) return fmt::format("{}{}({})", exception->cpp, step.inplace ? "_" : "", arguments(step, false));
  const bool flag = step.inplace && exception->python_inplace;
  return fmt::format("{}{}({}{})", exception->python, step.inplace && !flag ? "_" : "", arguments(step, false),
                     flag ? ", inplace=True" : "");
}

}  // namespace gradsmith
