#include "harness/under_way.hpp"

#include <algorithm>
#include <csignal>
#include <cstring>

#include "harness/process.hpp"

namespace gradsmith {

namespace {

/// A signal handler: no allocation, no lock.
void on_death(int signal) {
  if (const Step* step = step_under_way()) {
    char text[128];
    std::size_t size = std::min(step->op->name.size(), sizeof text - 2);
    std::memcpy(text, step->op->name.data(), size);
    if (step->inplace) text[size++] = '_';
    text[size++] = '\n';
    last_words({text, size});
  }
  std::signal(signal, SIG_DFL);
  std::raise(signal);  // comes when this function has returned
}

}  // namespace

void name_op_at_death() {
  if (!speaks()) return;  // libFuzzer has handlers of its own
  for (const int deadly : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGQUIT}) std::signal(deadly, on_death);
}

}  // namespace gradsmith
