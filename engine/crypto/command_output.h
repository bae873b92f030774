#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/result.h"

namespace tidemill {

/// Runs a program and returns what it printed. `command` is the program (looked up in PATH) and its
/// arguments, taken as they are: no shell, no expansion. It gets this process's environment and
/// stderr, an empty stdin, and a process group of its own, which is killed at the deadline or when
/// it prints more than `bytes_max`. Blocks. Errors: NotFound, IoFailed (an exit code other than 0;
/// killed), TooLarge, Timeout.
Result<std::vector<std::byte>> command_output(const std::vector<std::string>& command,
                                              std::size_t bytes_max,
                                              std::chrono::milliseconds time);

}  // namespace tidemill
