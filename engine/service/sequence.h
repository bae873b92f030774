#pragma once

#include "engine/catalog/stream.h"
#include "proto/sequence_number.h"

namespace tidemill {

/// The sequence number that clients see for the record at `ordinal`.
inline SequenceNumber sequence_of(const ShardInfo& shard, Ordinal ordinal, WallTime arrival) {
    return SequenceNumber::of_record(to_millis(shard.created) / 1000, shard.index, ordinal,
                                     to_millis(arrival) / 1000);
}
inline SequenceNumber starting_sequence(const ShardInfo& shard) {
    return {to_millis(shard.created) / 1000, shard.index, 0, to_millis(shard.created) / 1000};
}
/// Of a closed shard.
inline SequenceNumber ending_sequence(const ShardInfo& shard) {
    return {to_millis(shard.created) / 1000, shard.index, kEndingOrdinal,
            to_millis(shard.closed.value_or(shard.created)) / 1000};
}

/// Where reading begins AT or AFTER a sequence number; may lie beyond the end of the shard.
inline Ordinal ordinal_at(const SequenceNumber& number) {
    return number.ordinal == 0 ? 0 : number.ordinal - 1;
}
inline Ordinal ordinal_after(const SequenceNumber& number) { return number.ordinal; }

}  // namespace tidemill
