#pragma once

#include "engine/aws/shape.h"

namespace tidemill::aws {

/// First half of `check`: the types.
ApiStatus check_types(const Value& document, const Shape& shape);

}  // namespace tidemill::aws
