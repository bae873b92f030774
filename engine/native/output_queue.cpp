#include "engine/native/output_queue.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/uio.h>
#include <utility>

namespace tidemill {
namespace {
constexpr std::size_t kPiecesPerCall = 64;
constexpr std::size_t kSmallKept = 256_KiB;  // a larger scratch buffer is given back
}  // namespace

void OutputQueue::Generation::clear() {
    if (small.capacity() > kSmallKept) small = {};
    small.clear();
    pieces.clear();
    first = 0;
}

std::byte* OutputQueue::append(std::size_t bytes) {
    auto& small = filling_.small;
    const std::size_t offset = small.size();
    small.resize(offset + bytes);
    bytes_ += bytes;
    if (!filling_.pieces.empty()) {
        auto& last = filling_.pieces.back();
        if (!last.hold && last.offset + last.size == offset) {
            last.size += bytes;
            return small.data() + offset;
        }
    }
    filling_.pieces.push_back({{}, nullptr, offset, bytes, false});
    return small.data() + offset;
}

void OutputQueue::append(BufferSlice slice) {
    if (slice.bytes.empty()) return;
    if (slice.bytes.size() < kCopiedBelow) {
        std::memcpy(append(slice.bytes.size()), slice.bytes.data(), slice.bytes.size());
        return;
    }
    bytes_ += slice.bytes.size();
    filling_.pieces.push_back(
        {std::move(slice.buffer), slice.bytes.data(), 0, slice.bytes.size(), false});
}

std::size_t OutputQueue::Generation::unshare() {
    std::size_t shared = 0;
    for (std::size_t i = first; i < pieces.size(); ++i)
        if (pieces[i].hold && !pieces[i].is_own) shared += pieces[i].size;
    if (shared == 0) return 0;
    const Buffer copy = Buffer::allocate(shared);
    std::byte* to = copy.data();
    for (std::size_t i = first; i < pieces.size(); ++i) {
        Piece& piece = pieces[i];
        if (!piece.hold || piece.is_own) continue;
        std::memcpy(to, piece.held, piece.size);
        piece.hold = copy;
        piece.held = to;
        piece.is_own = true;
        to += piece.size;
    }
    return shared;
}

std::size_t OutputQueue::unshare() { return sending_.unshare() + filling_.unshare(); }

void OutputQueue::advance(std::size_t sent) {
    bytes_ -= sent;
    while (sent > 0) {
        auto& piece = sending_.pieces[sending_.first];
        const std::size_t part = std::min(sent, piece.size);
        sent -= part;
        if (part < piece.size) {
            piece.size -= part;
            piece.offset += part;
            if (piece.hold) piece.held += part;
        } else {
            piece.hold = {};
            ++sending_.first;
        }
    }
}

Result<bool> OutputQueue::write_to(int socket) {
    while (bytes_ > 0) {
        if (sending_.first == sending_.pieces.size()) {
            sending_.clear();
            std::swap(sending_, filling_);
        }
        std::array<iovec, kPiecesPerCall> vectors;
        std::size_t count = 0, asked = 0;
        for (std::size_t i = sending_.first; i < sending_.pieces.size() && count < kPiecesPerCall;
             ++i) {
            const auto& piece = sending_.pieces[i];
            const std::byte* from = piece.hold ? piece.held : sending_.small.data() + piece.offset;
            vectors[count++] = {const_cast<std::byte*>(from), piece.size};
            asked += piece.size;
        }
        msghdr message{};
        message.msg_iov = vectors.data();
        message.msg_iovlen = count;
        const ssize_t sent = ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) {
            if (errno == EINTR) continue;
            if (errno == EAGAIN || errno == EWOULDBLOCK) return false;
            const int reason = errno;
            sending_.clear();
            filling_.clear();
            bytes_ = 0;
            return fail(Errc::IoFailed, "the peer no longer takes answers", reason);
        }
        advance(static_cast<std::size_t>(sent));
        if (static_cast<std::size_t>(sent) < asked) return false;
    }
    return true;
}

}  // namespace tidemill
