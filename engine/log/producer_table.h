#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "engine/base/error.h"
#include "engine/base/ids.h"
#include "engine/log/log_config.h"
#include "engine/log/log_store.h"
#include "engine/log/segment_format.h"

namespace tidemill {

/// What a producer's batch is, by its sequence numbers.
enum class SequenceVerdict : std::uint8_t {
    Next,       ///< to be stored
    Committed,  ///< stored before: `known` says where
    Submitted,  ///< among those submitted and not yet durable, or in conflict with them
    Refused,    ///< not to be stored: `error` says why
};

struct SequenceJudgement {
    SequenceVerdict verdict = SequenceVerdict::Next;
    ProducedBatch known{};
    Error error;
};

/// What is remembered of a batch; `batch` is stamped.
ProducedBatch produced_batch(const RecordBatchHeader& batch);
/// `batch` is a repetition of `first`.
bool is_repetition(const RecordBatchHeader& batch, const ProducedBatch& first);

/// What a lane remembers of idempotent producers: for each (shard, producer) the sequence number
/// that comes next and its last committed batches. Rules: docs/formats/record_batch.md,
/// "Idempotence". Core: the lane's. Limits: LogConfig::producers_per_shard and ::producers; at one
/// of them the producer idle for longest is forgotten, as is one idle for ::producer_idle. Constant
/// time for each batch; shards without producers take no room.
class ProducerTable {
 public:
    /// Committed batches remembered of each producer and shard.
    static constexpr std::uint32_t kWindow = 8;

    explicit ProducerTable(const LogConfig& config) : config_(config) {}

    /// `batch`: the producer's half of the header, with a producer id. Changes nothing.
    SequenceJudgement judge(ShardUid shard, const RecordBatchHeader& batch) const;
    /// A batch judged as Next is on its way. False when there is no room for its producer because
    /// all others have batches on their way too.
    bool submit(const ProducedBatch& batch);
    /// A batch was not taken, and will be sent again: of a producer that is not known none behind
    /// it is taken before. Outlives `clear`; of too many all are forgotten.
    void turn_away(ShardUid shard, std::uint64_t producer_id, std::uint32_t first_sequence);
    /// It has become durable. In the order of submission.
    void commit(const ProducedBatch& batch);
    /// It was surely not written; all those submitted after it are not either.
    void withdraw(const ProducedBatch& batch);
    /// Takes a committed batch from the log, in log order, or from `remembered`.
    void learn(const ProducedBatch& batch);

    /// As far as committed.
    ProducerPosition position(ShardUid shard, std::uint64_t producer_id) const;
    /// Batches of it are on their way.
    bool is_busy(ShardUid shard, std::uint64_t producer_id) const;
    /// Forgets the producers of a shard that is gone.
    void forget(ShardUid shard);
    /// Forgets who has been idle for longer than producer_idle.
    void forget_idle(std::int64_t now_ms);
    void clear();

    /// All committed batches that are remembered: the producer idle for longest first, each one's
    /// in order. `learn` of all of them makes the same table.
    std::vector<ProducedBatch> remembered() const;
    /// How many (shard, producer) there are.
    std::size_t size() const { return at_.size(); }

 private:
    static constexpr std::uint32_t kNone = UINT32_MAX;
    struct Key {
        std::uint64_t producer_id = 0;
        std::uint32_t shard = 0;
        bool operator==(const Key&) const = default;
        friend std::size_t hash_value(const Key& key) {
            return boost::hash<std::uint64_t>()(key.producer_id +
                                                key.shard * 0x9e3779b97f4a7c15ull);
        }
    };
    /// Neighbours in a list that begins with the one idle for longest.
    struct Links {
        std::uint32_t before = kNone, after = kNone;
    };
    struct Stored {
        std::uint64_t first_ordinal;
        std::int64_t arrival_ms;
        std::uint32_t first_sequence, record_count, payload_crc;

        ProducedBatch of(const Key& key) const {
            return {key.producer_id, first_ordinal, arrival_ms, key.shard,
                    first_sequence,  record_count,  payload_crc};
        }
    };
    struct Producer {
        Key key;
        std::uint32_t next = 0;       // sequence expected from the producer
        std::uint32_t committed = 0;  // sequence behind the last committed batch
        std::uint32_t on_their_way = 0;
        std::uint32_t newest = 0, count = 0;  // of `stored`, a ring
        std::int64_t used_ms = 0;
        Links in_lane, in_shard;
        std::array<Stored, kWindow> stored{};

        const Stored& at(std::uint32_t age) const {
            return stored[(newest + kWindow - age) % kWindow];
        }
    };
    struct List {
        std::uint32_t first = kNone, last = kNone, size = 0;
    };

    const Producer* find(ShardUid shard, std::uint64_t producer_id) const;
    Producer* find(const ProducedBatch& batch);
    Producer* find_or_make(const ProducedBatch& batch, bool must_fit);
    bool make_room(std::uint32_t shard);
    std::uint32_t longest_idle(const List& list, Links Producer::* links) const;
    void append(List& list, Links Producer::* links, std::uint32_t slot);
    void remove(List& list, Links Producer::* links, std::uint32_t slot);
    void touch(Producer& producer, std::int64_t now_ms);
    void erase(std::uint32_t slot);

    const LogConfig& config_;
    boost::unordered_flat_map<Key, std::uint32_t, boost::hash<Key>> at_;           // slot
    boost::unordered_flat_map<Key, std::uint32_t, boost::hash<Key>> turned_away_;  // sequence
    boost::unordered_flat_map<std::uint32_t, List> shards_;
    List lane_;
    std::deque<Producer> slots_;
    std::vector<std::uint32_t> free_;
};

}  // namespace tidemill
