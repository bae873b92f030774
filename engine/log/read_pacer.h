#pragma once

#include <cstdint>

#include "engine/io/task.h"
#include "engine/reactor/reactor.h"
#include "engine/reactor/signal.h"

namespace tidemill {

/// Lets reads of old records use the disk only as far as commits do not wait for it. When nobody
/// writes, a few MiB are read at a time. Beside commits reads are small, and begin when no commit
/// is being written, or after a wait that keeps them going: a device, and a scheduler that prefers
/// reads, would otherwise put every commit behind all reads that stand in its queue. Core: the
/// lane's.
class ReadPacer {
 public:
    explicit ReadPacer(Reactor& reactor) : reactor_(reactor) {}

    void begin_write();
    void end_write();

    /// How much of `bytes` that lie together to read at once.
    std::size_t piece_of(std::size_t bytes) const;

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
    /// Resumes when the read may begin, in the order of coming. A read larger than what is allowed
    /// goes alone.
    Task<Share> enter(std::uint64_t bytes);

 private:
    bool is_beside_writes() const;
    bool has_room(std::uint64_t bytes) const;
    void leave(std::uint64_t bytes);

    Reactor& reactor_;
    MonoTime last_write_{};
    std::uint32_t writing_ = 0;
    std::uint64_t reading_ = 0;
    bool is_anyone_next_ = false;
    Signal next_;  // who is next waits for the disk, the others for that place
    Signal changed_;
};

}  // namespace tidemill
