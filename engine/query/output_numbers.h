#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "engine/base/hash_key.h"
#include "engine/query/application_checkpoint.h"
#include "engine/service/stream_service.h"

namespace tidemill::query {

/// Numbers the rows of an output within each shard, and knows which of them the log has already.
/// The same rows in the same order get the same numbers, also when shards have been split or merged
/// meanwhile: a row goes first to the shard that was open at the checkpoint, and only when that one
/// is closed and full to its child. So rows that are made again after a crash are told from those
/// that have never been stored. Core: one.
class OutputNumbers {
 public:
    /// From a checkpoint; a position without a producer begins anew, under a new id.
    explicit OutputNumbers(OutputPosition from);

    std::uint64_t producer() const { return producer_; }

    /// Where the next row of this hash key goes.
    struct Place {
        const ShardInfo* shard;
        bool is_stored;  ///< the log has it: nothing is to be written
    };
    Place place(const StreamInfo& stream, uint128 hash);
    /// Number of the next row of a shard.
    std::uint32_t next(ShardUid shard) const;
    void advance(ShardUid shard, std::uint32_t rows) { numbers_[shard].next += rows; }

    /// Asks the log how many rows of this producer the shard has; also of those that are closed and
    /// of all that came of them. Errors: those of the service; what is gone is no error.
    Task<Status> ask_all(StreamService& service, const StreamInfo& stream);
    Task<Status> ask(StreamService& service, ShardUid shard);
    /// The log has the rows of this producer below that number.
    void know(ShardUid shard, std::uint32_t stored);

    /// All rows so far are settled: later ones begin at the shards that are open now.
    OutputPosition settle(const StreamInfo& stream);

 private:
    struct Number {
        std::uint32_t next = 0;
        std::uint32_t stored = 0;  ///< numbers below are in the log, as far as is known
    };
    const ShardInfo* first_shard(const StreamInfo& stream, uint128 hash) const;

    std::uint64_t producer_;
    std::map<ShardUid, Number> numbers_;
    std::vector<ShardUid> roots_;  // where rows begin to look for their place; none: any open shard
};

}  // namespace tidemill::query
