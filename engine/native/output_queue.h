#pragma once

#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/result.h"
#include "engine/io/buffer.h"

namespace tidemill {

/// What a connection has yet to send, in order: small bytes copied, large ones held by reference.
class OutputQueue {
 public:
    /// Slices below this are copied: cheaper than a share of their block, and than a piece of their
    /// own in a system call.
    static constexpr std::size_t kCopiedBelow = 1_KiB;

    /// Room for `bytes` at the end, to be filled at once. Ownership: valid until the next call.
    std::byte* append(std::size_t bytes);
    void append(BufferSlice slice);

    /// Copies what is held by reference and lets go of the blocks. Returns the bytes copied.
    std::size_t unshare();

    std::size_t bytes() const { return bytes_; }
    bool is_empty() const { return bytes_ == 0; }

    /// Sends what the socket takes without waiting, in as few system calls as there are runs of 64
    /// pieces. Returns true when nothing is left. Errors: IoFailed; the queue is then empty.
    Result<bool> write_to(int socket);

 private:
    struct Piece {
        Buffer hold;  // empty: the bytes are in `small`
        const std::byte* held = nullptr;
        std::size_t offset = 0;  // into `small`
        std::size_t size = 0;
        bool is_own = false;  // `hold` is this queue's copy
    };
    struct Generation {
        std::vector<std::byte> small;
        std::vector<Piece> pieces;
        std::size_t first = 0;  // pieces before it are sent
        void clear();
        std::size_t unshare();
    };
    void advance(std::size_t sent);

    // New output goes to `filling_` while `sending_` drains, so that neither grows for ever.
    Generation sending_, filling_;
    std::size_t bytes_ = 0;
};

}  // namespace tidemill
