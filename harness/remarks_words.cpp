#include "harness/remarks_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "harness/print.hpp"

namespace gradsmith {
namespace {

constexpr std::size_t enough = 3;  // that show it: two points of agreement are a coincidence

template <class What>
struct Sides {
  std::vector<What> shows, hides;
};
template <class What>
Sides<What> sides_of(const std::vector<Tried<What>>& tried) {
  Sides<What> out;
  for (const auto& [what, shows] : tried) (shows ? out.shows : out.hides).push_back(what);
  return out;
}

/// Exactly those show it for which `holds`.
template <class What, class Holds>
bool separates(const Sides<What>& sides, Holds holds) {
  return std::all_of(sides.shows.begin(), sides.shows.end(), holds) &&
         std::none_of(sides.hides.begin(), sides.hides.end(), holds);
}

/// The number with the fewest digits from `a` to `b`.
double roundest(double a, double b) {
  for (int digits = 1; digits < 17; ++digits)
    for (const double number : {a, b, a / 2 + b / 2}) {
      const double rounded = std::strtod(fmt::format("{:.{}e}", number, digits - 1).c_str(), nullptr);
      if (std::min(a, b) <= rounded && rounded <= std::max(a, b)) return rounded;
    }
  return b;
}

/// "below 3", "at most 3", "above 3", "at least 3": one side of a limit shows it; empty if there is no limit.
std::string limit_words(const std::vector<double>& shows, const std::vector<double>& hides) {
  const auto [low, high] = std::minmax_element(shows.begin(), shows.end());
  const auto [least, greatest] = std::minmax_element(hides.begin(), hides.end());
  const auto words = [](double in, double out, const char* open, const char* closed) {
    const double limit = roundest(in, out);
    return fmt::format("{} {}", limit == in ? closed : open, print_number(limit));
  };
  if (*high < *least) return words(*high, *least, "below", "at most");
  if (*greatest < *low) return words(*low, *greatest, "above", "at least");
  return {};
}

std::vector<double> magnitudes(std::vector<double> numbers) {
  for (double& number : numbers) number = std::abs(number);
  return numbers;
}

std::string counted(std::int64_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

/// Words about the number of elements alone.
std::string element_words(const Sides<Shape>& sides) {
  const auto [low, high] =
      std::minmax_element(sides.shows.begin(), sides.shows.end(),
                          [](const auto& a, const auto& b) { return element_count(a) < element_count(b); });
  const std::int64_t least = element_count(*low), most = element_count(*high);
  if (separates(sides, [&](const Shape& s) { return element_count(s) >= least; }))
    return "at least " + counted(least, "element");
  if (separates(sides, [&](const Shape& s) { return element_count(s) <= most; }))
    return "at most " + counted(most, "element");
  if (least == most && separates(sides, [&](const Shape& s) { return element_count(s) == least; }))
    return "any shape of " + counted(least, "element");
  return {};
}

}  // namespace

std::string number_words(const std::vector<Tried<double>>& tried) {
  const auto sides = sides_of(tried);
  if (sides.shows.size() < enough) return {};
  if (sides.hides.empty()) return "any value";
  if (separates(sides, [](double x) { return x < 0; })) return "must be negative";
  if (separates(sides, [](double x) { return x > 0; })) return "must be positive";
  if (separates(sides, [](double x) { return x >= 0; })) return "must not be negative";
  if (separates(sides, [](double x) { return x <= 0; })) return "must not be positive";
  if (separates(sides, [&](double x) { return x != sides.hides[0]; }))
    return "any value but " + print_number(sides.hides[0] + 0.0);
  if (const auto words = limit_words(sides.shows, sides.hides); !words.empty()) return "any value " + words;
  if (const auto words = limit_words(magnitudes(sides.shows), magnitudes(sides.hides)); !words.empty())
    return "any magnitude " + words;
  return {};
}

std::optional<std::pair<double, double>> turn(std::vector<Tried<double>> tried) {
  std::stable_sort(tried.begin(), tried.end(), [](const auto& a, const auto& b) { return a.what < b.what; });
  std::optional<std::pair<double, double>> found;
  for (std::size_t i = 1; i < tried.size(); ++i) {
    if (tried[i - 1].shows == tried[i].shows) continue;
    if (found) return std::nullopt;
    found = {tried[i - 1].what, tried[i].what};
  }
  return found;
}

std::string shape_words(const std::vector<Tried<Shape>>& tried) {
  const auto sides = sides_of(tried);
  if (sides.shows.size() < enough) return {};
  if (sides.hides.empty()) return "any shape";
  if (auto words = element_words(sides); !words.empty()) return words;
  std::size_t fewest = sides.shows[0].size(), most = 0;
  for (const Shape& shape : sides.shows) {
    fewest = std::min(fewest, shape.size());
    most = std::max(most, shape.size());
  }
  if (separates(sides, [&](const Shape& s) { return s.size() >= fewest; }))
    return "at least " + counted(static_cast<std::int64_t>(fewest), "dimension");
  if (fewest != most) return {};
  const std::string rank = counted(static_cast<std::int64_t>(most), "dimension");
  Sides<Shape> of_rank{sides.shows, {}};
  for (const Shape& shape : sides.hides)
    if (shape.size() == most) of_rank.hides.push_back(shape);
  if (of_rank.hides.empty()) return "any shape of " + rank;
  if (auto words = element_words(of_rank); !words.empty()) return rank + ", " + words;
  return {};
}

}  // namespace gradsmith
