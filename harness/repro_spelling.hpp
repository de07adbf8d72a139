// How a program outside GradSmith spells a step: `v1.add_(b, 2.0)`, `at::silu_(h)`, `F.silu(h, inplace=True)`. One
// rule, and a list of the ops that depart from it; properties/tool_repro.cpp compiles and runs every op in both forms.
// Knows the op table; no LibTorch.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/repro.hpp"

namespace gradsmith {

/// Spells steps for one program.
struct Speller {
  Language language;
  const std::vector<std::string>& names;  ///< by Value, as the program has them
  /// PyTorch's `mul`, `div` and `sub` turn a number into a tensor, which backward keeps and tangents are added to; LibTorch's
  /// do not. Set: spell them so that they do not there either: a second backward would be refused, tangents would differ, and of
  /// 16-bit types LibTorch's `mul_` rounds the number.
  bool numbers_stay_numbers = false;

  /// The call of a step, without what it is assigned to: "a.mul(b)", "torch.where(m, a, b)".
  std::string call(const Step& step) const;
  /// "at::kDouble", "torch.float64".
  std::string dtype(DType dtype) const;
  /// "{1, 2}", "[1, 2]", of texts.
  std::string list(const std::vector<std::string>& items) const;
  /// The same of numbers: integers are written without a point.
  std::string list(const std::vector<double>& items) const;
  std::string list(const Shape& items) const;
  /// The shortest text that reads back to the same double, infinities, NaN and -0 included.
  std::string number(double value) const;

 private:
  std::string argument(const Step& step, std::size_t i) const;
  std::string arguments(const Step& step, bool method) const;
};

}  // namespace gradsmith
