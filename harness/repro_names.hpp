// Names of a chain's tensors in a program: the chain's own, unless the language or the program's helpers have the word.
#pragma once

#include <string>
#include <vector>

#include "harness/repro.hpp"

namespace gradsmith {

/// By Value: names that are distinct, and free in the language and in the programs that repro.hpp writes.
std::vector<std::string> program_names(Language language, const Chain& chain);

}  // namespace gradsmith
