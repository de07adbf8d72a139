#include "harness/interrupt.hpp"

#include <csignal>
#include <initializer_list>

namespace gradsmith {

namespace {

volatile std::sig_atomic_t wished = 0;
void on_signal(int) { wished = 1; }

}  // namespace

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  for (const int number : {SIGINT, SIGTERM, SIGUSR1}) ::sigaction(number, &action, nullptr);
}

bool interrupted() { return wished != 0; }

}  // namespace gradsmith
