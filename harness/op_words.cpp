#include "harness/op_words.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "harness/print.hpp"

namespace gradsmith {

namespace {

std::string param_name(const Op& op, int position) {
  return position < 0 ? "result" : std::string(op.params[static_cast<std::size_t>(position)].name);
}

struct ArgumentText {
  std::string operator()(None) const { return "none"; }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(double value) const { return print_number(value); }
  std::string operator()(const std::string& value) const { return fmt::format("\"{}\"", value); }
  std::string operator()(DType value) const { return std::string(dtype_name(value)); }
  std::string operator()(const Ref&) const { return "tensor"; }
  std::string operator()(const std::vector<Ref>&) const { return "tensors"; }
  std::string operator()(const std::vector<double>& list) const {
    std::vector<std::string> texts;
    for (const double value : list) texts.push_back(print_number(value));
    return fmt::format("[{}]", fmt::join(texts, ", "));
  }
};

}  // namespace

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::tensor:
      return "tensor";
    case Kind::tensor_or_number:
      return "tensor or number";
    case Kind::tensors:
      return "tensors";
    case Kind::number:
      return "number";
    case Kind::integer:
      return "integer";
    case Kind::integers:
      return "integers";
    case Kind::boolean:
      return "bool";
    case Kind::text:
      return "string";
    case Kind::dtype:
      return "dtype";
  }
  return "?";
}

std::string_view alias_name(Alias alias) {
  switch (alias) {
    case Alias::none:
      return "none";
    case Alias::view:
      return "view";
    case Alias::multi_view:
      return "multi-view";
    case Alias::detach:
      return "detach";
  }
  return "?";
}

std::string argument_text(const Argument& argument) { return std::visit(ArgumentText{}, argument); }

std::vector<std::string> forms(const Op& op) {
  std::vector<std::string> names;
  if (op.pure || op.pure_many) names.emplace_back(op.name);
  if (op.inplace) names.push_back(fmt::format("{}_", op.name));
  return names;
}

std::string params_text(const Op& op) {
  std::vector<std::string> texts;
  for (const Param& param : op.params)
    texts.push_back(param.optional ? fmt::format("{}={}", param.name, argument_text(param.preset))
                                   : std::string(param.name));
  return fmt::format("{}", fmt::join(texts, ", "));
}

std::vector<std::string> saves_text(const Op& op) {
  std::vector<std::string> texts;
  for (const Save& save : op.saves) {
    std::string text = fmt::format("{}<-{}", save.of < 0 ? "any" : param_name(op, save.of), param_name(op, save.reads));
    if (save.reads == 0 && save.reads_inplace != 0)
      text += fmt::format(" (in place: {})", param_name(op, save.reads_inplace));
    if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(std::move(text));
  }
  return texts;
}

const Op* op_of_form(std::string_view name) {
  if (const Op* op = find_op(name)) return op;
  if (!name.ends_with('_')) return nullptr;
  const Op* op = find_op(name.substr(0, name.size() - 1));
  return op && op->inplace ? op : nullptr;
}

}  // namespace gradsmith
