#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <vector>

#include <unistd.h>

#include "engine/base/check.h"
#include "proto/native_frame.h"
#include "proto/native_table.h"
#include "proto/wire_limits.h"

namespace tidemill {

/// A blocking client that sends exactly the bytes it is told to: for what a well-behaved one never
/// sends.
class RawClient {
 public:
    explicit RawClient(std::uint16_t port, bool says_hello = true) {
        fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        TM_CHECK(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        const timeval patience{20, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        if (!says_hello) return;
        send_bytes(as_bytes(wire::kPreface));
        send_hello();
        const auto reply = receive();
        TM_CHECK(reply.has_value() && !reply->is_error);
    }
    ~RawClient() { ::close(fd_); }

    struct Frame {
        std::uint8_t kind = 0;
        std::uint32_t id = 0;
        bool is_error = false, is_end = false;
        std::vector<std::byte> envelope, attachment;

        std::string error_code() const {
            const wire::TableBytes copy{Bytes(envelope)};
            return wire::text_of((*copy.read<wire::ErrorReply>())->code());
        }
    };

    void send_hello(std::uint32_t version = wire::kProtocolVersion) {
        flatbuffers::FlatBufferBuilder builder;
        const auto name = builder.CreateString("test");
        builder.Finish(wire::CreateHelloRequest(builder, version, name));
        send(wire::Kind::Hello, 1, wire::finished_bytes(builder));
    }
    void send_bytes(Bytes bytes) {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return;
            bytes = bytes.subspan(static_cast<std::size_t>(sent));
        }
    }
    static std::vector<std::byte> frame(wire::Kind kind, std::uint32_t id, Bytes envelope,
                                        Bytes attachment = {}) {
        const bool has = !attachment.empty();
        const std::size_t head = wire::frame_head_bytes(envelope.size(), has);
        std::vector<std::byte> bytes(head + attachment.size());
        wire::write_frame_head(bytes.data(), static_cast<std::uint8_t>(kind),
                               has ? wire::kAttachment : std::uint8_t{0}, id, envelope,
                               attachment.size());
        if (has) std::memcpy(bytes.data() + head, attachment.data(), attachment.size());
        return bytes;
    }
    void send(wire::Kind kind, std::uint32_t id, Bytes envelope, Bytes attachment = {}) {
        send_bytes(frame(kind, id, envelope, attachment));
    }
    void produce(std::uint32_t id, ShardUid shard, Bytes batch) {
        const wire::ProduceRequest request(shard.value, 0);
        send(wire::Kind::Produce, id, wire::struct_bytes(request), batch);
    }
    void finish_writing() { ::shutdown(fd_, SHUT_WR); }

    /// The next frame; nothing once the broker has closed.
    std::optional<Frame> receive() {
        for (;;) {
            const auto parsed = wire::parse_frame(buffer_, wire_limits::kFrameBytesMax);
            TM_CHECK(parsed.has_value(), "{}", parsed.error().to_string());
            if (*parsed) {
                const auto& view = **parsed;
                Frame frame{view.header.kind,
                            view.header.request_id,
                            view.is_error(),
                            view.is_end(),
                            {view.envelope.begin(), view.envelope.end()},
                            {view.attachment.begin(), view.attachment.end()}};
                buffer_.erase(buffer_.begin(),
                              buffer_.begin() + static_cast<std::ptrdiff_t>(view.size()));
                return frame;
            }
            std::byte more[65536];
            const ssize_t got = ::recv(fd_, more, sizeof more, 0);
            if (got <= 0) return std::nullopt;
            buffer_.insert(buffer_.end(), more, more + got);
        }
    }

 private:
    int fd_ = -1;
    std::vector<std::byte> buffer_;
};

/// One batch of `count` records "<key><i>".
inline std::vector<std::byte> make_batch(std::string_view key, std::uint32_t count,
                                         std::size_t data_bytes = 8) {
    RecordBatchBuilder builder;
    for (std::uint32_t i = 0; i < count; ++i) {
        std::string data = std::string(key) + std::to_string(i);
        data.resize(std::max(data.size(), data_bytes), '.');
        builder.add(key, as_bytes(data));
    }
    const Bytes bytes = builder.finish().bytes();
    return {bytes.begin(), bytes.end()};
}

}  // namespace tidemill
