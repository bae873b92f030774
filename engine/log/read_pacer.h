#pragma once

#include <cstdint>

#include "engine/io/task.h"
#include "engine/reactor/reactor.h"
#include "engine/reactor/signal.h"

namespace tidemill {

/// Lets reads of old records use the disk only as far as commits do not wait for it: while commits
/// are written, one read at a time, and a few MiB when nobody writes. A device, and a scheduler
/// that prefers reads, would otherwise put every commit behind all reads that stand in its queue.
/// Core: the lane's.
class ReadPacer {
 public:
    explicit ReadPacer(Reactor& reactor) : reactor_(reactor) {}

    void note_write() { last_write_ = reactor_.clock().mono_now(); }

    /// Holds a share of the disk for one read.
    class Share {
     public:
        Share(ReadPacer& pacer, std::uint64_t bytes) : pacer_(&pacer), bytes_(bytes) {}
        Share(Share&& other) noexcept
            : pacer_(std::exchange(other.pacer_, nullptr)), bytes_(other.bytes_) {}
        Share& operator=(Share&&) = delete;
        ~Share() {
            if (pacer_ != nullptr) pacer_->leave(bytes_);
        }

     private:
        ReadPacer* pacer_;
        std::uint64_t bytes_;
    };
    /// Resumes when the read may begin. A read larger than what is allowed goes alone.
    Task<Share> enter(std::uint64_t bytes);

 private:
    std::uint64_t allowed() const;
    void leave(std::uint64_t bytes);

    Reactor& reactor_;
    MonoTime last_write_{};
    std::uint64_t reading_ = 0;
    Signal left_;
};

}  // namespace tidemill
