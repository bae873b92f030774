#pragma once

#include <vector>

#include "engine/base/ids.h"
#include "engine/base/uint128.h"
#include "producer/admin_client.h"
#include "proto/native_table.h"

namespace tidemill::client {

/// The message behind DescribeStream and CreateStream, as the public API shows it.
StreamDescription description_of(const wire::StreamReply& reply);
/// "shardId-000000000007"
std::string shard_id_of(std::uint32_t index);
/// The question that DescribeStream asks.
void write_stream_question(flatbuffers::FlatBufferBuilder& builder, std::string_view name,
                           bool with_tails);

/// Which open shard takes a hash key.
class ShardMap {
 public:
    struct Entry {
        uint128 first = 0, last = 0;
        ShardUid uid;
        std::uint32_t index = 0;
        std::int64_t created_s = 0;
    };

    ShardMap() = default;
    explicit ShardMap(const StreamDescription& stream);

    bool is_empty() const { return open_.empty(); }
    /// nullptr when no open shard covers the key.
    const Entry* shard_for(uint128 key) const;
    const std::vector<Entry>& open() const { return open_; }

 private:
    std::vector<Entry> open_;  // by start of range
};

}  // namespace tidemill::client
