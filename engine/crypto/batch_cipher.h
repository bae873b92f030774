#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/result.h"
#include "engine/crypto/sealed_bytes.h"
#include "proto/record_batch.h"
#include "proto/wire_limits.h"

namespace tidemill {

/// What a sealed batch is longer by: the seal, and the producer's payload_crc inside it. Format:
/// docs/formats/sealed.md.
constexpr std::size_t kBatchSealBytes = kSealBytes + sizeof(std::uint32_t);
static_assert(kBatchSealBytes == wire_limits::kBatchSealBytes);

/// Seals the payloads of one stream's batches under one data key. Core: one.
class BatchSealer {
 public:
    BatchSealer(std::uint16_t key_id, const Secret& data_key);
    std::uint16_t key_id() const { return key_id_; }
    /// The sealed batch, built in `space`, of which it takes what it needs. The producer's half of
    /// its header is complete. Ownership: valid until `space` changes.
    RecordBatchView seal(const RecordBatchView& plain, ShardUid shard,
                         std::vector<std::byte>& space);

 private:
    std::uint16_t key_id_;
    Sealer sealer_;
};

/// Opens sealed batches of one data key. Core: one.
class BatchUnsealer {
 public:
    explicit BatchUnsealer(const Secret& data_key);
    /// Bytes that `unseal` writes. Errors: Corrupt (too short to be a sealed batch).
    static Result<std::size_t> plain_bytes(Bytes stamped);
    /// Writes the batch as its producer made it, with the broker's stamp, to `to` (plain_bytes).
    /// Errors: Corrupt, when it was sealed for another shard, under another key, or was altered;
    /// `to` holds nothing of it then.
    Status unseal(Bytes stamped, ShardUid shard, MutableBytes to);

 private:
    Unsealer unsealer_;
};

}  // namespace tidemill
