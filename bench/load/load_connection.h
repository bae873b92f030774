#pragma once

#include <deque>
#include <vector>

#include "producer/frame_channel.h"

namespace tidemill::bench {

/// A native connection that sends batches it does not own, by scatter-gather: the client's share of
/// the processor stays small, so that the number is the broker's.
class LoadConnection {
 public:
    Status open(const std::string& endpoint);
    client::FrameChannel& channel() { return channel_; }
    int fd() const { return channel_.fd(); }

    /// Queues a Produce of `batch`. Ownership: the batch stays unchanged until it is acknowledged.
    void produce(std::uint32_t request_id, std::uint32_t shard, Bytes batch);
    /// Sends what the socket takes.
    Status flush();
    bool wants_write() const { return !pieces_.empty() || channel_.wants_write(); }
    std::size_t unsent_frames() const { return pieces_.size(); }

 private:
    static constexpr std::size_t kHeadBytes = 24;
    struct Piece {
        std::byte head[kHeadBytes];
        Bytes batch;
        std::size_t sent = 0;
    };

    client::FrameChannel channel_;
    std::deque<Piece> pieces_;
};

}  // namespace tidemill::bench
