// What numbers or shapes that were tried have in common where they show a finding, in words. Pure functions of data.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/array.hpp"

namespace gradsmith {

/// Something that was put in place of a part of a chain, and whether the finding still shows.
template <class What>
struct Tried {
  What what;
  bool shows;
};

/// "any value", "must be negative", "any value below -1", "any value but 0" ...; empty if nothing simple separates the
/// numbers that show it from those that do not, or if fewer than three show it.
std::string number_words(const std::vector<Tried<double>>& tried);
/// The two neighbours between which the answer changes, if in order of the numbers it changes once.
std::optional<std::pair<double, double>> turn(std::vector<Tried<double>> tried);
/// "any shape", "at least 9 elements", "any shape of 3 elements", "1 dimension, at least 2 elements" ...; empty as above.
std::string shape_words(const std::vector<Tried<Shape>>& tried);

}  // namespace gradsmith
