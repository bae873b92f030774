#pragma once

#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/time.h"
#include "engine/base/uint128.h"
#include "engine/catalog/consumer.h"

namespace tidemill {

/// An inclusive range of hash keys.
struct HashRange {
    uint128 first = 0, last = kUint128Max;
    bool contains(uint128 key) const { return first <= key && key <= last; }
    bool operator==(const HashRange&) const = default;
};

struct ShardInfo {
    ShardUid uid;
    std::uint32_t index = 0;  ///< n of shardId-%012d; never reused within its stream
    HashRange range;
    std::optional<std::uint32_t> parent, adjacent_parent;  ///< indexes
    WallTime created{};
    std::optional<WallTime> closed;  ///< set once split or merged
    Ordinal end_ordinal = 0;         ///< of a closed shard: one past its last record

    bool is_open() const { return !closed.has_value(); }
};

std::string shard_id_text(std::uint32_t index);  ///< "shardId-000000000007"
std::optional<std::uint32_t> parse_shard_id(std::string_view text);

enum class StreamStatus : std::uint8_t { Creating, Active, Updating, Deleting };
enum class StreamMode : std::uint8_t { Provisioned, OnDemand };
/// How records find their shard: by their key, or, with Auto, evenly over the open ones.
enum class RecordDistribution : std::uint8_t { ByKey, Auto };

/// Metrics of single shards that somebody wants to see: bits, in the order of kShardMetricNames.
using ShardMetrics = std::uint8_t;
constexpr std::string_view kShardMetricNames[] = {"IncomingBytes",
                                                  "IncomingRecords",
                                                  "OutgoingBytes",
                                                  "OutgoingRecords",
                                                  "WriteProvisionedThroughputExceeded",
                                                  "ReadProvisionedThroughputExceeded",
                                                  "IteratorAgeMilliseconds"};
constexpr ShardMetrics kAllShardMetrics = (1u << std::size(kShardMetricNames)) - 1;

/// A change of shards that has been decided and not yet carried out: durable before the first of
/// the parents is closed, so that a start after a crash can complete it. See
/// engine/catalog/reshard.h.
struct Reshard {
    std::vector<std::uint32_t> closing;  ///< indexes of the shards that close, ascending
    /// By index. One that is `closed` holds no record: a step between more than two parents and
    /// their child.
    std::vector<ShardInfo> added;
};

/// A data key of a stream, as it is kept: wrapped under a master key (docs/formats/sealed.md).
struct StreamKey {
    std::uint16_t id = 0;  ///< what batches under it carry; from 1 on
    WallTime created{};
    std::string master;  ///< fingerprint of the master key that wraps it
    std::vector<std::byte> wrapped;
    std::uint64_t sealed_bytes = 0;  ///< written under it, at least; brought up to date at times
};

/// Whether new batches of a stream are encrypted, and all the keys that older ones may need.
struct StreamEncryption {
    std::uint16_t current = 0;  ///< key of new batches; 0: they are plain
    std::string key_name;       ///< what the caller calls the key; for descriptions only
    std::vector<StreamKey> keys;

    bool is_on() const { return current != 0; }
    const StreamKey* find(std::uint16_t id) const;  ///< nullptr when there is none
};

/// One stream as of one moment. Immutable once published: a change makes a new one.
struct StreamInfo {
    StreamUid uid;
    std::string name;
    StreamStatus status = StreamStatus::Active;
    StreamMode mode = StreamMode::Provisioned;
    WallTime created{};
    std::chrono::hours retention{24};
    std::uint64_t max_bytes = 0;  ///< stored in all its shards together; 0: no bound
    std::uint32_t max_record_bytes = 1024 * 1024;  ///< data of one record
    std::uint32_t warm_mib_per_second = 0;  ///< writes an on-demand stream must be ready for; or 0
    RecordDistribution distribution = RecordDistribution::ByKey;
    ShardMetrics shard_metrics = 0;
    std::string owner_account;  ///< of 12 digits; empty: of whoever asks
    std::string policy;         ///< who else may use it, in AWS's JSON; empty: none
    std::map<std::string, std::string> tags;
    std::vector<ConsumerInfo> consumers;  ///< by name
    /// Creation of the youngest consumer that is gone: later ones must not be taken for it.
    WallTime gone_consumer{};
    StreamEncryption encryption;
    std::vector<ShardInfo> shards;    ///< by index, closed ones included until they expire
    std::vector<std::uint32_t> open;  ///< positions in `shards` of the open ones, by start of range
    std::optional<Reshard> reshard;   ///< while the stream is Updating

    /// The open shard that takes `key`. Limits: O(log shards).
    const ShardInfo& shard_for(uint128 key) const { return shards[open[open_position_for(key)]]; }
    std::uint32_t open_position_for(uint128 key) const;  ///< the same as a position in `open`
    const ShardInfo* shard_by_index(std::uint32_t index) const;  ///< nullptr when there is none
    const ConsumerInfo* find_consumer(std::string_view consumer) const;  ///< nullptr: none
    ConsumerInfo* find_consumer(std::string_view consumer);
    /// Fills `open` from `shards`.
    void index_open_shards();
};

/// All streams as of one moment; each core holds one and replaces it when the catalog publishes the
/// next.
struct CatalogView {
    std::uint64_t version = 0;
    std::map<std::string, std::shared_ptr<const StreamInfo>, std::less<>> streams;  ///< by name
};

/// `count` ranges that cover all hash keys: floor(2^128 / count) * i, the last ends at 2^128-1.
std::vector<HashRange> split_evenly(std::uint32_t count);

}  // namespace tidemill
