#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "engine/base/error.h"
#include "engine/io/buffer.h"
#include "engine/io/task.h"
#include "proto/native_table.h"

namespace tidemill {

class NativeConnection;

/// A request that outlives the socket's buffer: its envelope copied.
struct NativeRequest {
    std::uint8_t kind = 0;
    std::uint32_t id = 0;
    wire::TableBytes message;
    std::vector<std::byte> attachment;
};

/// Answers one request, in one frame or many. Lives while its task runs.
class NativeReply {
 public:
    NativeReply(NativeConnection& connection, std::uint8_t kind, std::uint32_t id)
        : connection_(connection), kind_(kind), id_(id) {}

    /// False once the peer has gone, the door stops, or the peer gave the request up (Unsubscribe):
    /// end soon.
    bool is_wanted() const;
    void send(Bytes envelope, bool is_last = true);
    void send(Bytes envelope, std::vector<BufferSlice> batches, bool is_last = true);
    void send_error(const Error& error);
    /// Resumes when the connection has room for more output. Call it between frames of a long
    /// answer.
    Task<void> wait_for_room();

    std::uint8_t kind() const { return kind_; }
    std::uint32_t id() const { return id_; }

 private:
    NativeConnection& connection_;
    std::uint8_t kind_;
    std::uint32_t id_;
};

/// Serves one request of a kind that another part of the broker owns (SQL). Runs as a task of the
/// connection; sends as many frames as it likes, the last with kEnd. Ownership: `reply` lives until
/// the task ends.
using NativeExtension = std::function<Task<void>(NativeRequest request, NativeReply& reply)>;

}  // namespace tidemill
