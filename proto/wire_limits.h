#pragma once

#include "engine/base/bytes.h"

namespace tidemill::wire_limits {

/// One record: data and partition key. Kinesis allows 1 MiB by default, 10 MiB when a stream asks
/// for it.
constexpr std::size_t kRecordBytesMax = 10_MiB;
constexpr std::size_t kRecordBytesDefault = 1_MiB;
constexpr std::size_t kPartitionKeyBytesMax = 1024;  // 256 characters of at most 4 bytes
/// One record batch: a record of the largest size with its key, header and room for its lengths.
constexpr std::size_t kBatchBytesMax = 12_MiB;
static_assert(kBatchBytesMax >= kRecordBytesMax + kPartitionKeyBytesMax + 4096);
/// What a batch grows by when the broker seals it (engine/crypto/batch_cipher.h), and how long it
/// may then be in the log.
constexpr std::size_t kBatchSealBytes = 44;
constexpr std::size_t kStoredBatchBytesMax = kBatchBytesMax + kBatchSealBytes;
/// The records of a compressed batch, opened: no more than a plain batch could hold, so that a
/// reader needs no more memory for a compressed one.
constexpr std::size_t kRecordsBytesMax = kBatchBytesMax - 64;
/// One frame of the native protocol.
constexpr std::size_t kFrameBytesMax = 16_MiB;
static_assert(kFrameBytesMax >= kBatchBytesMax + 4096);

}  // namespace tidemill::wire_limits
