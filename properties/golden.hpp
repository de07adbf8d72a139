// Golden files: what is printed, kept under properties/golden/ and reviewed like code.
#pragma once

#include <string>

namespace gradsmith::testing {

/// Empty if `text` is what properties/golden/NAME holds; else a message with both. With GRADSMITH_GOLDEN=write in the
/// environment the file is written and nothing is wrong.
std::string differs_from_golden(const std::string& name, const std::string& text);

}  // namespace gradsmith::testing
