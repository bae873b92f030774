#pragma once

#include <chrono>

namespace tidemill::console {

/// From the first call on, SIGINT and SIGTERM no longer end the program but are noted here.
void watch_interrupts();
bool is_interrupted();

/// From now on SIGHUP does not end the program either. watch_interrupts was called before.
void watch_hangups();
enum class Wake { Interrupt, Hangup, Time };
/// Blocks until a signal has come, or `time` has passed.
Wake wait_for_signal(std::chrono::milliseconds time);

}  // namespace tidemill::console
