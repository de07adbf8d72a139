// The op table in words, for `gradsmith ops` and its JSON. Pure functions of the table.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/op.hpp"

namespace gradsmith {

std::string_view kind_name(Kind kind);     ///< "tensor", "tensor or number", ...
std::string_view alias_name(Alias alias);  ///< "none", "view", ...
/// A value as the chain language spells it.
std::string argument_text(const Argument& argument);
/// The spellings of an op's forms: "relu", "relu_".
std::vector<std::string> forms(const Op& op);
/// "self, dim=-1": the parameters in schema order with their defaults.
std::string params_text(const Op& op);
/// Per row "self<-result" (the gradient of self reads the result), with the in-place form's where it differs.
std::vector<std::string> saves_text(const Op& op);
/// The op meant by a name in either form ("relu" or "relu_"), or null.
const Op* op_of_form(std::string_view name);

}  // namespace gradsmith
