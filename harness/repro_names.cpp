#include "harness/repro_names.hpp"

#include <algorithm>
#include <cctype>
#include <set>
#include <string_view>

namespace gradsmith {

namespace {

/// Keywords, and what the programs call by these names.
const std::set<std::string_view> cpp_words{
    "alignas",     "alignof",  "and",        "and_eq",    "asm",       "auto",         "bitand",
    "bitor",       "bool",     "break",      "case",      "catch",     "char",         "char16_t",
    "char32_t",    "char8_t",  "class",      "co_await",  "co_return", "co_yield",     "compl",
    "concept",     "const",    "const_cast", "consteval", "constexpr", "constinit",    "continue",
    "decltype",    "default",  "delete",     "do",        "double",    "dynamic_cast", "else",
    "enum",        "explicit", "export",     "extern",    "false",     "float",        "for",
    "friend",      "goto",     "if",         "inline",    "int",       "long",         "mutable",
    "namespace",   "new",      "noexcept",   "not",       "not_eq",    "nullptr",      "operator",
    "or",          "or_eq",    "private",    "protected", "public",    "register",     "reinterpret_cast",
    "requires",    "return",   "short",      "signed",    "sizeof",    "static",       "static_assert",
    "static_cast", "struct",   "switch",     "template",  "this",      "thread_local", "throw",
    "true",        "try",      "typedef",    "typeid",    "typename",  "union",        "unsigned",
    "using",       "virtual",  "void",       "volatile",  "wchar_t",   "while",        "xor",
    "xor_eq",      "assert",   "errno",      "linux",     "major",     "minor",        "stderr",
    "stdin",       "stdout",   "unix",  // macros
    "at",          "again",    "c10",        "check",     "error",     "failures",     "level",     "Level",
    "refused",     "std",      "strided",    "tensor",    "torch"};
const std::set<std::string_view> python_words{
    "False",  "None",       "True",   "and",      "as",   "assert",  "async",   "await",    "break",  "case",
    "class",  "continue",   "def",    "del",      "elif", "else",    "except",  "finally",  "for",    "from",
    "global", "if",         "import", "in",       "is",   "lambda",  "match",   "nonlocal", "not",    "or",
    "pass",   "raise",      "return", "try",      "type", "while",   "with",    "yield",    "F",      "RuntimeError",
    "again",  "check",      "contextlib", "each", "failures", "forward_ad", "math", "refused", "strided", "sys",
    "tensor", "torch"};

/// "results1" is a helper of ours; in C++ words in capitals may be macros.
bool is_taken(Language language, const std::string& name) {
  if (name.starts_with("results")) return true;
  if (language == Language::python) return python_words.contains(name);
  const bool capitals = std::none_of(name.begin(), name.end(), [](unsigned char c) { return std::islower(c); });
  return cpp_words.contains(name) || capitals;
}

}  // namespace

std::vector<std::string> program_names(Language language, const Chain& chain) {
  const std::set<std::string> own(chain.names.begin(), chain.names.end());
  std::set<std::string> used;
  std::vector<std::string> names;
  for (std::string name : chain.names) {
    for (bool taken = is_taken(language, name); taken; taken = own.contains(name) || used.contains(name)) name += "_x";
    used.insert(name);
    names.push_back(std::move(name));
  }
  return names;
}

}  // namespace gradsmith
