#pragma once

#include <cstdint>
#include <memory>

#include <boost/unordered/unordered_flat_map.hpp>

#include "engine/log/lane_parts.h"
#include "engine/reactor/signal.h"

namespace tidemill {

/// Blocks of 1 MiB read from a lane's segments, shared by all readers, with read-ahead.
/// Core: the lane's. Limits: LogConfig::read_cache_bytes, what readers hold not counted.
class ChunkCache {
 public:
    static constexpr std::uint64_t kChunkBytes = 1_MiB;

    explicit ChunkCache(LaneParts& parts) : parts_(parts) {}

    /// The bytes [position, position + length) of `segment`, contiguous: a share of a chunk, or a
    /// copy where they cross chunks; fewer at the end of the file. The caller holds a pin on the
    /// segment. Errors: IoFailed.
    Task<Result<BufferSlice>> fetch(Segment& segment, std::uint64_t position, std::size_t length);
    /// Starts to read the chunks behind `position` when they are wanted next.
    void read_ahead(Segment& segment, std::uint64_t position);
    void forget() { chunks_.clear(), bytes_ = 0; }

 private:
    struct Key {
        std::uint64_t segment, chunk;  ///< segment: its salt, new for every use of a file
        bool operator==(const Key&) const = default;
        friend std::size_t hash_value(const Key& key) {
            return static_cast<std::size_t>((key.segment * 0x9e3779b97f4a7c15 + key.chunk) *
                                            0xbf58476d1ce4e5b9);
        }
    };
    struct Chunk {
        Buffer buffer;
        std::size_t filled = 0;
        std::uint64_t valid_to = 0;  ///< in the file: what was final when it was read
        std::uint64_t last_use = 0;
        bool is_loading = true;
    };
    Task<Result<Chunk*>> load(Segment& segment, std::uint64_t chunk, std::uint64_t needed_to);
    Task<void> load_ahead(Segment& segment, std::uint64_t chunk);
    Task<Status> fill(Segment& segment, std::uint64_t position, Chunk& chunk);
    void make_room();

    LaneParts& parts_;
    boost::unordered_flat_map<Key, std::unique_ptr<Chunk>> chunks_;
    std::size_t bytes_ = 0;
    std::uint64_t uses_ = 0;
    std::vector<Buffer> free_;
    Signal loaded_;
};

}  // namespace tidemill
