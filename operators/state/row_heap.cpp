#include "operators/state/row_heap.h"

#include <algorithm>
#include <cstring>

#include "engine/base/check.h"

namespace tidemill::sql {

namespace {

constexpr std::uint32_t kChunkBytes = 1 << 20;
constexpr std::uint32_t kHeadBytes = 2 * sizeof(std::uint32_t);  // number, length

}  // namespace

std::uint32_t RowHeap::put(std::string_view bytes) {
    std::uint32_t number = 0;
    if (free_.empty()) {
        TM_CHECK(pieces_.size() < kNone, "a heap of rows has too many pieces");
        number = static_cast<std::uint32_t>(pieces_.size());
        pieces_.emplace_back();
    } else {
        number = free_.back();
        free_.pop_back();
    }
    place(number, bytes);
    return number;
}

void RowHeap::place(std::uint32_t number, std::string_view bytes) {
    const auto length = static_cast<std::uint32_t>(bytes.size());
    const auto needed = length + kHeadBytes;
    if (current_ == kNone || chunks_[current_].capacity - chunks_[current_].used < needed) {
        if (free_chunks_.empty()) {
            free_chunks_.push_back(static_cast<std::uint32_t>(chunks_.size()));
            chunks_.emplace_back();
        }
        const auto before = current_;
        current_ = free_chunks_.back();
        free_chunks_.pop_back();
        auto& chunk = chunks_[current_];
        chunk.capacity = std::max(kChunkBytes, needed);
        chunk.bytes = std::make_unique_for_overwrite<char[]>(chunk.capacity);
        chunk.used = chunk.dead = 0;
        allocated_ += chunk.capacity;
        if (before != kNone && chunks_[before].dead * 2 >= chunks_[before].used) move_away(before);
        // Moving fills chunks too.
        if (chunks_[current_].capacity - chunks_[current_].used < needed)
            return place(number, bytes);
    }
    auto& chunk = chunks_[current_];
    char* to = chunk.bytes.get() + chunk.used;
    std::memcpy(to, &number, sizeof number);
    std::memcpy(to + sizeof number, &length, sizeof length);
    if (length > 0) std::memcpy(to + kHeadBytes, bytes.data(), length);
    pieces_[number] = {current_, chunk.used + kHeadBytes, length};
    chunk.used += needed;
}

void RowHeap::drop(std::uint32_t number) {
    const auto piece = pieces_[number];
    pieces_[number].chunk = kNone;
    free_.push_back(number);
    auto& chunk = chunks_[piece.chunk];
    chunk.dead += piece.length + kHeadBytes;
    if (piece.chunk != current_ && chunk.dead * 2 >= chunk.used) move_away(piece.chunk);
}

void RowHeap::move_away(std::uint32_t index) {
    const Chunk from = std::move(chunks_[index]);
    allocated_ -= from.capacity;
    for (std::uint32_t at = 0; at < from.used;) {
        std::uint32_t number = 0, length = 0;
        std::memcpy(&number, from.bytes.get() + at, sizeof number);
        std::memcpy(&length, from.bytes.get() + at + sizeof number, sizeof length);
        at += kHeadBytes;
        if (pieces_[number].chunk == index && pieces_[number].offset == at)
            place(number, {from.bytes.get() + at, length});
        at += length;
    }
    // Only now may the place be used again: pieces were told apart by it.
    chunks_[index] = {};
    free_chunks_.push_back(index);
}

void RowHeap::clear() { *this = RowHeap(); }

}  // namespace tidemill::sql
