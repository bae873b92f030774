#include "engine/log/chunk_cache.h"

#include <algorithm>
#include <cstring>

namespace tidemill {
namespace {

/// Bytes of the segment that will not change any more.
std::uint64_t final_bytes(const Segment& segment) {
    return segment.building == nullptr ? UINT64_MAX : segment.end_position;
}

}  // namespace

Task<Result<ChunkCache::Chunk*>> ChunkCache::load(Segment& segment, std::uint64_t chunk,
                                                  std::uint64_t needed_to) {
    const Key key{segment.header.salt, chunk};
    while (true) {
        const auto found = chunks_.find(key);
        if (found == chunks_.end()) break;
        auto& known = *found->second;
        if (known.is_loading) {
            co_await loaded_.wait_until(MonoTime::max());
            continue;
        }
        if (known.valid_to >= needed_to) {
            known.last_use = ++uses_;
            co_return &known;
        }
        bytes_ -= known.buffer.size();
        chunks_.erase(found);
        break;
    }
    make_room();
    auto fresh = std::make_unique<Chunk>();
    for (auto& buffer : free_)
        if (buffer.is_sole_owner()) {
            std::swap(buffer, free_.back());
            fresh->buffer = std::move(free_.back());
            free_.pop_back();
            break;
        }
    if (!fresh->buffer) fresh->buffer = Buffer::allocate(kChunkBytes);
    bytes_ += fresh->buffer.size();
    auto* const loading = fresh.get();
    chunks_.insert_or_assign(key, std::move(fresh));
    Status status = parts_.segments.open_file(segment);
    const std::uint64_t valid_to = final_bytes(segment);
    if (status) status = co_await fill(segment, chunk * kChunkBytes, *loading);
    loading->is_loading = false;
    loading->valid_to = valid_to;
    loading->last_use = ++uses_;
    loaded_.notify_all();
    parts_.stats.read_cache_bytes = bytes_;
    if (!status) {
        bytes_ -= loading->buffer.size();
        chunks_.erase(key);
        co_return std::unexpected(std::move(status).error());
    }
    co_return loading;
}

Task<Status> ChunkCache::fill(Segment& segment, std::uint64_t position, Chunk& chunk) {
    while (chunk.filled < kChunkBytes) {
        const std::size_t piece = parts_.pacer.piece_of(kChunkBytes - chunk.filled);
        const auto share = co_await parts_.pacer.enter(piece);
        CO_ASSIGN(const std::size_t got,
                  co_await segment.file->read(position + chunk.filled,
                                              chunk.buffer.bytes().subspan(chunk.filled, piece)));
        chunk.filled += got;
        if (got < piece) break;
    }
    co_return Status{};
}

Task<Result<BufferSlice>> ChunkCache::fetch(Segment& segment, std::uint64_t position,
                                            std::size_t length) {
    const std::uint64_t first = position / kChunkBytes;
    const std::uint64_t last = (position + std::max<std::size_t>(length, 1) - 1) / kChunkBytes;
    BufferSlice joined;
    for (std::uint64_t chunk = first; chunk <= last; ++chunk) {
        const std::uint64_t begin = chunk * kChunkBytes;
        CO_ASSIGN(const Chunk* loaded,
                  co_await load(segment, chunk, std::min(position + length, begin + kChunkBytes)));
        const auto from = static_cast<std::size_t>(std::max(position, begin) - begin);
        const auto to = static_cast<std::size_t>(
            std::min<std::uint64_t>(position + length - begin, loaded->filled));
        const Bytes part = from < to ? Bytes{loaded->buffer.data() + from, to - from} : Bytes{};
        if (first == last) co_return BufferSlice{loaded->buffer, part};
        if (!joined.buffer) joined.buffer = Buffer::allocate(length);
        std::memcpy(joined.buffer.data() + joined.bytes.size(), part.data(), part.size());
        joined.bytes = {joined.buffer.data(), joined.bytes.size() + part.size()};
        if (loaded->filled < kChunkBytes) break;
    }
    co_return joined;
}

void ChunkCache::read_ahead(Segment& segment, std::uint64_t position) {
    if (parts_.gate.is_closed()) return;
    const std::uint64_t current = position / kChunkBytes;
    for (std::uint64_t chunk = current + 1; chunk <= current + parts_.config.read_ahead_chunks;
         ++chunk) {
        if ((chunk + 1) * kChunkBytes > segment.end_position) return;
        if (!chunks_.contains(Key{segment.header.salt, chunk}))
            parts_.reactor.spawn(parts_.gate, load_ahead(segment, chunk));
    }
}

Task<void> ChunkCache::load_ahead(Segment& segment, std::uint64_t chunk) {
    const SegmentPin pin(segment);
    (void)co_await load(segment, chunk, 0);  // the reader that needs it meets the error itself
}

void ChunkCache::make_room() {
    while (bytes_ + kChunkBytes > parts_.config.read_cache_bytes && !chunks_.empty()) {
        auto oldest = chunks_.end();
        for (auto at = chunks_.begin(); at != chunks_.end(); ++at)
            if (!at->second->is_loading &&
                (oldest == chunks_.end() || at->second->last_use < oldest->second->last_use))
                oldest = at;
        if (oldest == chunks_.end()) return;
        bytes_ -= oldest->second->buffer.size();
        if (free_.size() < 16) free_.push_back(std::move(oldest->second->buffer));
        chunks_.erase(oldest);
    }
}

}  // namespace tidemill
