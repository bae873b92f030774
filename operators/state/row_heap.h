#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace tidemill::sql {

/// Pieces of bytes of any length that come and go, by number. Numbers are used again. Chunks of a
/// mebibyte; one that is half empty is moved, so memory follows what is kept and each byte is
/// moved a constant number of times.
class RowHeap {
 public:
    static constexpr std::uint32_t kNone = 0x7fffffff;

    /// Limits: 2^31 - 1 pieces.
    std::uint32_t put(std::string_view bytes);
    /// Ownership: lives until the next `put` or `drop`.
    std::string_view get(std::uint32_t number) const {
        const auto& piece = pieces_[number];
        return {chunks_[piece.chunk].bytes.get() + piece.offset, piece.length};
    }
    void drop(std::uint32_t number);
    void clear();

    std::size_t size() const { return pieces_.size() - free_.size(); }
    /// Of all chunks.
    std::size_t allocated_bytes() const { return allocated_; }

 private:
    struct Piece {
        std::uint32_t chunk = 0, offset = 0, length = 0;
    };
    // Before each piece stands its number, so that a chunk can be walked.
    struct Chunk {
        std::unique_ptr<char[]> bytes;
        std::uint32_t capacity = 0, used = 0, dead = 0;
    };

    void place(std::uint32_t number, std::string_view bytes);
    void move_away(std::uint32_t chunk);

    std::vector<Piece> pieces_;
    std::vector<std::uint32_t> free_;
    std::vector<Chunk> chunks_;
    std::vector<std::uint32_t> free_chunks_;
    std::uint32_t current_ = kNone;  // chunk that is being filled
    std::size_t allocated_ = 0;
};

}  // namespace tidemill::sql
