#pragma once

#include <string_view>

#include "engine/aws/api_error.h"
#include "engine/aws/caller.h"
#include "engine/aws/value.h"
#include "engine/io/clock.h"

namespace tidemill::dynamodb {

/// Whether the policies of the caller's identity let it carry out the operation on all tables (and
/// indexes) that `input`, which has passed its shape's check, names. Errors: AccessDeniedException.
aws::ApiStatus authorize(const aws::Caller& caller, std::string_view operation,
                         const aws::Value& input, Clock& clock);

}  // namespace tidemill::dynamodb
