// Ctrl-C, SIGTERM and SIGUSR1 as a wish to end in good order, which long work asks about now and then.
#pragma once

namespace gradsmith {

/// From now on these signals only set interrupted().
void catch_interrupts();
bool interrupted();

}  // namespace gradsmith
