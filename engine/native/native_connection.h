#pragma once

#include <deque>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/native/input_buffer.h"
#include "engine/native/native_await.h"
#include "engine/native/native_limits.h"
#include "engine/native/native_reply.h"
#include "engine/native/output_queue.h"
#include "engine/reactor/gate.h"
#include "engine/reactor/reactor.h"
#include "engine/reactor/signal.h"
#include "engine/service/stream_service.h"
#include "proto/native_frame.h"

namespace tidemill {

/// What all connections of a door share. Ownership: the door's, which outlives them.
struct NativeShared {
    StreamService& service;
    const NativeLimits& limits;
    const NativeGreeting& greeting;
    const std::vector<NativeExtension>& extensions;
};

/// One native connection: reads frames in place, hands batches to the log without a task or an
/// allocation each, runs everything else as tasks, and sends what a turn has collected with one
/// system call at its end. Core: the one that made it. Lives until `run` has ended.
class NativeConnection final : private TurnHook {
 public:
    NativeConnection(Reactor& reactor, const NativeShared& shared, NativeSocket socket);
    NativeConnection(const NativeConnection&) = delete;
    NativeConnection& operator=(const NativeConnection&) = delete;

    /// Resumes when the connection is closed and nothing of it is left. `already_read` begins with
    /// the preface.
    Task<void> run(std::vector<std::byte> already_read);
    /// Reads no more; `run` answers what is in flight and ends.
    void shut_down();

    // for NativeReply and the request files
    StreamService& service() { return shared_.service; }
    const NativeLimits& limits() const { return shared_.limits; }
    MonoTime now() { return reactor_.clock().mono_now(); }
    WallTime wall_now() { return reactor_.clock().wall_now(); }
    bool is_wanted(std::uint32_t id) const;
    void send(std::uint8_t kind, std::uint8_t flags, std::uint32_t id, Bytes envelope);
    void send(std::uint8_t kind, std::uint8_t flags, std::uint32_t id, Bytes envelope,
              std::vector<BufferSlice> attachment);
    void send_error(std::uint8_t kind, std::uint32_t id, const Error& error);
    Task<void> wait_for_room();

    /// A place in the output queue for what is about to be read. Gives itself back.
    class Room {
     public:
        Room(NativeConnection& connection, Signal& next, std::size_t bytes)
            : connection_(&connection), next_(&next), bytes_(bytes) {
            connection.reserved_ += bytes;
        }
        Room(Room&& other) noexcept
            : connection_(std::exchange(other.connection_, nullptr)),
              next_(other.next_),
              bytes_(other.bytes_) {}
        Room& operator=(Room&&) = delete;
        ~Room() {
            if (connection_ == nullptr) return;
            connection_->reserved_ -= bytes_;
            next_->notify_first();
        }
        std::size_t bytes() const { return bytes_; }

     private:
        NativeConnection* connection_;
        Signal* next_;
        std::size_t bytes_;
    };
    /// Waits until less than the limit for pushes or for answers is unsent or reserved, so that
    /// readers, who suspend between looking and sending, do not all send at once. At once when the
    /// connection closes. Ownership: let go of it once the read has returned, before anything else
    /// suspends.
    Task<Room> reserve_push();
    Task<Room> reserve_answer(std::size_t bytes);

 private:
    struct ProduceOp : AppendOp {
        NativeConnection* connection = nullptr;
        ProduceOp* next_free = nullptr;
        std::uint32_t request_id = 0;
        std::size_t bytes = 0;
        std::uint64_t counted_records = 0, counted_bytes = 0;  // where metrics of shards are shown
    };
    /// A request that may be given up, and for a subscription its credit.
    struct LongRequest {
        Signal wake;
        std::uint64_t credit = 0;
        bool is_given_up = false;
    };

    Status consume_preface();
    Status consume_input();
    Status accept(const wire::FrameView& frame);
    void hello(const wire::FrameView& frame);
    void produce(const wire::FrameView& frame);
    static void on_appended(AppendOp& op) noexcept;
    void count(const ProduceOp& op);
    void answer_append(ProduceOp& op);
    Result<ShardWriter*> writer_of(ShardUid shard);
    Status start_long(const wire::FrameView& frame);
    Task<void> run_request(NativeRequest request);
    Task<void> run_extension(NativeRequest request);
    Task<void> run_subscription(std::uint32_t id, wire::SubscribeRequest request);
    Task<void> watch_hello();
    Task<void> finish();

    bool is_congested() const;
    Task<void> wait_unsent_below(std::size_t limit, Signal& room);
    void wake_senders();
    void wake_reader();
    void request_flush();
    void at_turn_end() override;
    void flush();
    void wait_writable();
    Task<void> watch_unsent();

    Reactor& reactor_;
    const NativeShared& shared_;
    NativeSocket socket_;
    InputBuffer input_;
    OutputQueue output_;
    Gate gate_;  // appends and tasks of this connection
    Signal room_, drained_, hello_, closing_;
    Signal answer_room_, push_room_;  // below output_bytes_max, push_unsent_max

    std::deque<ProduceOp> ops_;
    ProduceOp* free_op_ = nullptr;
    std::unordered_map<std::uint32_t, ShardWriter*> writers_;
    std::unordered_map<std::uint32_t, LongRequest*> long_requests_;

    std::size_t bytes_in_flight_ = 0;
    std::size_t reserved_ = 0;  // of output, by those who read for it now
    std::size_t needed_ = 0;    // bytes of the frame that has begun to arrive
    std::uint32_t requests_in_flight_ = 0;
    bool is_open_ = true, has_preface_ = false, is_greeted_ = false;
    bool is_hook_requested_ = false, is_waiting_writable_ = false;
    bool is_watched_ = false;  // watch_unsent runs
};

}  // namespace tidemill
