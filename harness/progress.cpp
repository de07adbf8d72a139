#include "harness/progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

namespace gradsmith {

namespace {

constexpr double terminal_every = 0.2, plain_every = 10;  // seconds

}  // namespace

std::string with_commas(unsigned long long number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

Progress::Progress() : terminal_(::isatty(2) == 1), next_(terminal_ ? 0 : plain_every) {}

void Progress::show(double seconds, const std::string& line) {
  next_ = seconds + (terminal_ ? terminal_every : plain_every);
  if (!terminal_) {
    std::fprintf(stderr, "%s\n", line.c_str());
    return;
  }
  winsize window{};
  const bool sized = ::ioctl(2, TIOCGWINSZ, &window) == 0 && window.ws_col > 1;
  const std::string cut = sized ? line.substr(0, window.ws_col - 1u) : line;  // a wrapped line cannot be rewritten
  std::fprintf(stderr, "\r\033[K%s", cut.c_str());
  std::fflush(stderr);
  shown_ = true;
}

void Progress::clear() {
  if (!shown_) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
  shown_ = false;
}

}  // namespace gradsmith
