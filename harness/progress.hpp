// Progress of long work on standard error: one line rewritten on a terminal, a plain line every ten seconds elsewhere.
#pragma once

#include <string>

namespace gradsmith {

/// 1234567 as "1,234,567".
std::string with_commas(unsigned long long number);

class Progress {
 public:
  Progress();
  /// Whether show() would write now; so that the line is only made when it is.
  bool due(double seconds) const { return seconds >= next_; }
  /// Writes the line.
  void show(double seconds, const std::string& line);
  /// Takes the rewritten line off the terminal, before other output.
  void clear();

 private:
  bool terminal_;
  double next_;
  bool shown_ = false;
};

}  // namespace gradsmith
