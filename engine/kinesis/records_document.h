#pragma once

#include "engine/kinesis/call.h"
#include "engine/log/log_store.h"

namespace tidemill::kinesis {

/// Of one answer or event. One record is always let through.
struct RecordsLimit {
    std::size_t bytes;  ///< of data and keys
    std::uint64_t records;
};

struct WrittenRecords {
    Ordinal next = 0;  ///< to go on with
    std::uint64_t count = 0;
    std::size_t bytes = 0;
    std::optional<WallTime> last_arrival;
    std::int64_t millis_behind = 0;  ///< MillisBehindLatest: 0 at the tip, at least 1 elsewhere
};

/// "Records":[...] of what was read of a shard from `from`. A batch whose checksum is right and
/// which holds no records all the same, as its producer wrote it, is reported and left out: an
/// error would hold all readers of the shard up for ever, and the API has no word for it.
WrittenRecords write_records(DocumentWriter& out, const StreamInfo& stream, const ShardInfo& shard,
                             const ReadResult& read, Ordinal from, RecordsLimit limit,
                             BatchReading& reading);

/// Of all batches, as they are stored.
std::size_t bytes_of(const ReadResult& read);

}  // namespace tidemill::kinesis
