#pragma once

#include <string>

#include "engine/dynamodb/table_definition.h"

namespace tidemill::dynamodb {

/// Keys as bytes that order as DynamoDB orders items: by a hash of the hash key, then by the range
/// key. Format of `row_key`: docs/formats/tables.md.

/// True when the item has all the key's attributes, each a scalar of its kind.
bool has_key(const KeySchema& key, const Item& item);
/// The item's place by that key. The item has it.
std::string order_key(const KeySchema& key, const Item& item);
/// What the order keys of all items with this hash key begin with.
std::string order_prefix(const Attribute& hash);
/// Behind all of them.
std::string order_end(const Attribute& hash);
/// The part of an order key that a range key makes, without its end: order_prefix(hash) +
/// range_part(low) is not after any item with a range key of `low` or more.
std::string range_part(const Attribute& range);
/// The key as stored: an order key without the hash.
std::string row_key(const KeySchema& key, const Item& item);

/// Where segment `segment` of `total` begins.
std::string segment_begin(std::uint64_t segment, std::uint64_t total);

}  // namespace tidemill::dynamodb
