#include "bench/load/load_connection.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/socket.h>
#include <sys/uio.h>

#include <fmt/format.h>

namespace tidemill::bench {

Status LoadConnection::open(const std::string& endpoint) {
    ASSIGN(const auto parsed, client::Endpoint::parse(endpoint));
    return channel_.open(parsed, std::chrono::steady_clock::now() + 10s);
}

void LoadConnection::produce(std::uint32_t request_id, std::uint32_t shard, Bytes batch) {
    const wire::ProduceRequest request(shard, 0);
    static_assert(sizeof(wire::FrameHeader) + sizeof request == kHeadBytes);
    Piece& piece = pieces_.emplace_back();
    wire::write_frame_head(piece.head, static_cast<std::uint8_t>(wire::Kind::Produce),
                           wire::kAttachment, request_id, wire::struct_bytes(request),
                           batch.size());
    piece.batch = batch;
}

Status LoadConnection::flush() {
    TRY(channel_.flush());
    while (!pieces_.empty() && !channel_.wants_write()) {
        std::array<iovec, 64> vectors;
        std::size_t count = 0;
        for (auto& piece : pieces_) {
            if (count + 2 > vectors.size()) break;
            if (piece.sent < kHeadBytes)
                vectors[count++] = {piece.head + piece.sent, kHeadBytes - piece.sent};
            const std::size_t done = piece.sent > kHeadBytes ? piece.sent - kHeadBytes : 0;
            vectors[count++] = {const_cast<std::byte*>(piece.batch.data()) + done,
                                piece.batch.size() - done};
        }
        msghdr message{};
        message.msg_iov = vectors.data();
        message.msg_iovlen = count;
        const ssize_t sent = ::sendmsg(fd(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) {
            if (errno == EINTR) continue;
            if (errno == EAGAIN || errno == EWOULDBLOCK) return {};
            return fail(Errc::Unavailable,
                        fmt::format("{}: the connection broke", channel_.endpoint().to_string()),
                        errno);
        }
        auto left = static_cast<std::size_t>(sent);
        while (left > 0) {
            Piece& piece = pieces_.front();
            const std::size_t part = std::min(left, kHeadBytes + piece.batch.size() - piece.sent);
            piece.sent += part;
            left -= part;
            if (piece.sent == kHeadBytes + piece.batch.size()) pieces_.pop_front();
        }
    }
    return {};
}

}  // namespace tidemill::bench
