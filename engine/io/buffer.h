#pragma once

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <utility>

#include "engine/base/bytes.h"
#include "engine/base/check.h"

namespace tidemill {

constexpr std::size_t kDiskAlignment = 4096;

/// A block of memory aligned for direct I/O and shared by reference count. The bytes may be written
/// by the holder that filled them until it hands the block out; after that they are read only.
/// Threads: copies may live on different cores; the count is atomic.
class Buffer {
 public:
    Buffer() = default;
    /// Ownership: the memory is freed with the last copy. Throws std::bad_alloc. Contents are
    /// undefined.
    static Buffer allocate(std::size_t bytes) {
        Buffer buffer;
        const std::size_t total = align_up(bytes, kDiskAlignment) + kDiskAlignment;
        void* memory = std::aligned_alloc(kDiskAlignment, total);
        if (memory == nullptr) throw std::bad_alloc();
        buffer.block_ = new (memory) Block{{1}, bytes};
        return buffer;
    }
    Buffer(const Buffer& other) noexcept : block_(other.block_) {
        if (block_ != nullptr) block_->references.fetch_add(1, std::memory_order_relaxed);
    }
    Buffer(Buffer&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
    Buffer& operator=(Buffer other) noexcept {
        std::swap(block_, other.block_);
        return *this;
    }
    ~Buffer() {
        if (block_ != nullptr && block_->references.fetch_sub(1, std::memory_order_acq_rel) == 1)
            std::free(block_);
    }

    explicit operator bool() const { return block_ != nullptr; }
    std::size_t size() const { return block_ == nullptr ? 0 : block_->size; }
    std::byte* data() const {
        return block_ == nullptr ? nullptr : reinterpret_cast<std::byte*>(block_) + kDiskAlignment;
    }
    MutableBytes bytes() const { return {data(), size()}; }
    /// True when no other copy exists, so that the block may be filled again.
    bool is_sole_owner() const {
        return block_ != nullptr && block_->references.load(std::memory_order_acquire) == 1;
    }

 private:
    struct Block {
        std::atomic<std::size_t> references;
        std::size_t size;
    };
    Block* block_ = nullptr;
};

/// Part of a buffer, which it keeps alive.
struct BufferSlice {
    Buffer buffer;
    Bytes bytes;
};

}  // namespace tidemill
