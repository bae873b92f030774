#pragma once

namespace tidemill::console {

/// From the first call on, SIGINT and SIGTERM no longer end the program but are noted here.
void watch_interrupts();
bool is_interrupted();
/// Blocks until a signal has come. watch_interrupts was called before.
void wait_for_interrupt();

}  // namespace tidemill::console
