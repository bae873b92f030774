#pragma once

#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/result.h"
#include "engine/dynamodb/attribute.h"

namespace tidemill::dynamodb {

/// An item as the catalog store keeps it, under a checksum. Format: docs/formats/tables.md.
std::vector<std::byte> encode_item(const Item& item);
/// Errors: Corrupt.
Result<Item> decode_item(Bytes bytes);

}  // namespace tidemill::dynamodb
