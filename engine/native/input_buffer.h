#pragma once

#include <memory>

#include "engine/base/bytes.h"

namespace tidemill {

/// Bytes read from a socket and not yet consumed. Grows while a peer fills it, shrinks when the
/// peer falls quiet, so that ten thousand idle connections cost little and one busy one reads a MiB
/// at a time.
class InputBuffer {
 public:
    InputBuffer() { resize(kSmallest); }

    Bytes bytes() const { return {memory_.get() + begin_, end_ - begin_}; }
    void consume(std::size_t bytes) { begin_ += bytes; }

    /// Where the next read goes. `needed`: bytes that must fit in all, when a large frame has
    /// announced itself.
    MutableBytes writable(std::size_t needed);
    void commit(std::size_t bytes);

    std::size_t capacity() const { return capacity_; }

 private:
    static constexpr std::size_t kSmallest = 16_KiB, kLargestByItself = 256_KiB;
    static constexpr unsigned kQuietReads = 64;
    void resize(std::size_t capacity);

    std::unique_ptr<std::byte[]> memory_;
    std::size_t capacity_ = 0, begin_ = 0, end_ = 0;
    unsigned small_reads_ = 0;
    bool was_filled_ = false;
};

}  // namespace tidemill
