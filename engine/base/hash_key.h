#pragma once

#include <string_view>

#include "engine/base/uint128.h"

namespace tidemill {

/// MD5 of the partition key's UTF-8 bytes as an unsigned big-endian number: decides the record's
/// shard. Source: Kinesis Data Streams API reference, PutRecord.
uint128 hash_partition_key(std::string_view partition_key);

}  // namespace tidemill
