#include "engine/log/tail_cache.h"

#include "engine/base/check.h"
#include "engine/log/commit_format.h"

namespace tidemill {
namespace {

constexpr std::size_t kFreeBuffersMax = 16;

}  // namespace

TailBlock& TailCache::add_block(std::size_t bytes) {
    auto block = std::make_unique<TailBlock>();
    block->buffer = take_buffer(std::max(bytes, block_bytes_));
    block->id = first_id_ + static_cast<std::uint32_t>(blocks_.size());
    bytes_ += block->buffer.size();
    blocks_.push_back(std::move(block));
    return *blocks_.back();
}

// A first touch of fresh memory costs more than the copy into it, so buffers are used again, those
// that readers have let go of first.
Buffer TailCache::take_buffer(std::size_t bytes) {
    if (bytes == block_bytes_)
        for (auto& buffer : free_)
            if (buffer.is_sole_owner()) {
                std::swap(buffer, free_.back());
                Buffer taken = std::move(free_.back());
                free_.pop_back();
                return taken;
            }
    return Buffer::allocate(bytes);
}

void TailCache::give_back(Buffer buffer) {
    if (buffer.size() == block_bytes_ && free_.size() < kFreeBuffersMax)
        free_.push_back(std::move(buffer));
}

void TailCache::evict(ShardTable& shards) {
    while (bytes_ > budget_ && blocks_.size() > 1 && blocks_.front()->unfinished == 0) {
        const auto block = std::move(blocks_.front());
        const std::byte* base = block->buffer.data();
        for (const auto at : block->commit_offsets) {
            const auto header = load_le<CommitHeader>(base + at);
            const Bytes commit{base + at, header.bytes};
            for (std::size_t i = 0; i < header.directory_count; ++i) {
                const auto entry = directory_entry(commit, header, i);
                if (entry.is_control()) continue;
                auto& runs = shards.get(entry.shard).runs;
                while (!runs.is_empty() && runs.front().block == block->id)
                    runs.pop_front();
            }
        }
        bytes_ -= block->buffer.size();
        blocks_.pop_front();
        ++first_id_;
        give_back(std::move(block->buffer));
    }
}

void TailCache::clear() {
    for (auto& block : blocks_) {
        TM_CHECK(block->unfinished == 0, "a commit is still being written");
        give_back(std::move(block->buffer));
    }
    first_id_ += static_cast<std::uint32_t>(blocks_.size());
    blocks_.clear();
    bytes_ = 0;
}

RecordBatchHeader TailCache::header(const TailRun& run) const {
    return load_le<RecordBatchHeader>(blocks_[run.block - first_id_]->buffer.data() + run.offset);
}

BufferSlice TailCache::slice(const TailRun& run) const {
    const auto& buffer = blocks_[run.block - first_id_]->buffer;
    const auto bytes = load_le<RecordBatchHeader>(buffer.data() + run.offset).batch_bytes;
    return {buffer, {buffer.data() + run.offset, bytes}};
}

}  // namespace tidemill
