#pragma once

#include "engine/kinesis/shape.h"

namespace tidemill::kinesis {

/// First half of `check`: the types.
ApiStatus check_types(const Value& document, const Shape& shape);

}  // namespace tidemill::kinesis
