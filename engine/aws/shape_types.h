#pragma once

#include "engine/aws/shape.h"

namespace tidemill::aws {

/// First half of `check`: the types, and blobs and times made what they are.
ApiStatus check_types(Value& document, const Shape& shape, Encoding encoding);

}  // namespace tidemill::aws
