#pragma once

#include "engine/dynamodb/expression.h"

namespace tidemill::dynamodb {

/// Whether the condition is true of the item. Pure. What an item lacks, and what is of another
/// type, is equal to nothing, neither less nor greater, and contains nothing; it is unequal.
bool holds(const Condition& condition, const Item& item);

}  // namespace tidemill::dynamodb
