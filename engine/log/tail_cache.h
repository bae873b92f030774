#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "engine/io/buffer.h"
#include "engine/log/shard_table.h"

namespace tidemill {

/// A buffer that commits are built in, written from and served from. Filled from front to back, by
/// one commit or many.
struct TailBlock {
    Buffer buffer;
    std::uint32_t id = 0;
    std::uint32_t unfinished = 0;               ///< commits begun here and not yet durable
    std::vector<std::uint32_t> commit_offsets;  ///< of durable commits
};

/// The newest blocks of a lane, and the buffers that will be blocks. Core: the lane's.
/// Limits: holds `budget` bytes of finished blocks; a block that readers still hold leaves the
/// cache but not their hands.
class TailCache {
 public:
    TailCache(std::size_t budget, std::size_t block_bytes)
        : budget_(budget), block_bytes_(block_bytes) {}

    std::size_t block_bytes() const { return block_bytes_; }
    std::size_t bytes() const { return bytes_; }

    /// A new block with room for at least `bytes`; the last one is never evicted.
    TailBlock& add_block(std::size_t bytes);
    TailBlock& block(std::uint32_t id) { return *blocks_[id - first_id_]; }
    bool has_block(std::uint32_t id) const {
        return id - first_id_ < static_cast<std::uint32_t>(blocks_.size());
    }

    /// Drops the oldest finished blocks down to the budget, and their runs from `shards`.
    void evict(ShardTable& shards);
    /// Drops all blocks; the caller forgets the runs. No commit may be in flight.
    void clear();

    /// The batch of a run. Ownership: shares the block.
    BufferSlice slice(const TailRun& run) const;
    /// Its header, without taking a share.
    RecordBatchHeader header(const TailRun& run) const;

 private:
    Buffer take_buffer(std::size_t bytes);
    void give_back(Buffer buffer);

    std::size_t budget_, block_bytes_, bytes_ = 0;
    std::uint32_t first_id_ = 1;
    std::deque<std::unique_ptr<TailBlock>> blocks_;
    std::vector<Buffer> free_;  // of block_bytes_, some perhaps still held by a reader
};

}  // namespace tidemill
