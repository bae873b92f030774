#pragma once

#include <string>

#include "engine/base/result.h"

namespace tidemill {

/// The error for a failed system call on `what` (a verb and a name: "open log/1"): NotFound,
/// AlreadyExists, NoSpace or IoFailed by errno, which is kept.
std::unexpected<Error> system_failure(int error_number, const std::string& what);

}  // namespace tidemill
