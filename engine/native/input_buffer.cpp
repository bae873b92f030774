#include "engine/native/input_buffer.h"

#include <algorithm>
#include <utility>

namespace tidemill {

void InputBuffer::resize(std::size_t capacity) {
    auto memory = std::make_unique_for_overwrite<std::byte[]>(capacity);
    const std::size_t held = end_ - begin_;
    if (held != 0) std::memcpy(memory.get(), memory_.get() + begin_, held);
    memory_ = std::move(memory);
    capacity_ = capacity;
    begin_ = 0;
    end_ = held;
}

MutableBytes InputBuffer::writable(std::size_t needed) {
    const std::size_t held = end_ - begin_;
    std::size_t wanted = capacity_;
    if (was_filled_ && capacity_ < kLargestByItself) wanted = capacity_ * 2;
    if (small_reads_ >= kQuietReads && held < kSmallest) wanted = kSmallest;
    // Room beyond the frame lets the read that completes it bring the next ones.
    if (needed > wanted) wanted = align_up(needed + kSmallest, kSmallest);
    if (wanted != capacity_) {
        resize(wanted);
        small_reads_ = 0;
    } else if (begin_ != 0) {
        if (held != 0) std::memmove(memory_.get(), memory_.get() + begin_, held);
        begin_ = 0;
        end_ = held;
    }
    was_filled_ = false;
    return {memory_.get() + end_, capacity_ - end_};
}

void InputBuffer::commit(std::size_t bytes) {
    end_ += bytes;
    was_filled_ = end_ == capacity_;
    small_reads_ = bytes < kSmallest / 4 ? small_reads_ + 1 : 0;
}

}  // namespace tidemill
