// Text for a terminal of 100 columns: folded lines and short lists of numbers. Pure.
#pragma once

#include <string>
#include <vector>

namespace gradsmith {

/// The words in lines of 100 columns, each with this indentation, further ones by two more. Ends with a newline.
/// Colours take no room.
std::string folded(const std::string& words, std::size_t indentation);
/// Up to six numbers to four digits, then how many there are: "2.465, -0.5546, ... (20)".
std::string short_values(const std::vector<double>& values);

}  // namespace gradsmith
