#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/base/bytes.h"
#include "engine/base/result.h"

namespace tidemill::wire {

/// The first bytes of a native connection.
constexpr std::string_view kPreface = "TMN1";
constexpr std::uint32_t kProtocolVersion = 1;

/// What stands before every message. Format: docs/formats/native_protocol.md.
struct FrameHeader {
    std::uint32_t frame_bytes;  ///< header, envelope and attachment
    std::uint8_t kind;          ///< wire::Kind
    std::uint8_t flags;         ///< FrameFlag
    std::uint16_t
        envelope_words;  ///< of 8 bytes, with kAttachment; else 0: the envelope is all the rest
    std::uint32_t request_id;  ///< chosen by the client; replies repeat it
    std::uint32_t crc;         ///< CRC32C of bytes [0, 12) and of the envelope
};
static_assert(sizeof(FrameHeader) == 16);

enum FrameFlag : std::uint8_t {
    kReply = 1,
    kError = 2,       ///< the envelope is an ErrorReply
    kAttachment = 4,  ///< record batches follow the envelope
    kEnd = 8,         ///< the last frame under this request id
    kKnownFlags = 15,
};

/// One whole frame. Views into the bytes it was parsed from.
struct FrameView {
    FrameHeader header{};
    Bytes envelope;
    Bytes attachment;  ///< not yet verified: batches carry their own checksums

    bool is_reply() const { return (header.flags & kReply) != 0; }
    bool is_error() const { return (header.flags & kError) != 0; }
    bool is_end() const { return (header.flags & kEnd) != 0; }
    std::size_t size() const { return header.frame_bytes; }
};

/// Reads the frame that `bytes` begin with. Nothing when more bytes are needed; `needed` then says
/// how many in all (when known). Errors: Corrupt (length, flags, checksum), TooLarge. The length is
/// checked before anything is waited for.
Result<std::optional<FrameView>> parse_frame(Bytes bytes, std::size_t frame_bytes_max,
                                             std::size_t* needed = nullptr);

/// Bytes of a frame up to its attachment.
constexpr std::size_t frame_head_bytes(std::size_t envelope_bytes, bool has_attachment) {
    return sizeof(FrameHeader) + (has_attachment ? align_up(envelope_bytes, 8) : envelope_bytes);
}

/// Writes header and envelope; the attachment follows. `to` has room for frame_head_bytes(...).
/// Limits: an envelope beside an attachment has at most 512 KiB (TM_CHECKed).
void write_frame_head(std::byte* to, std::uint8_t kind, std::uint8_t flags,
                      std::uint32_t request_id, Bytes envelope, std::size_t attachment_bytes);

/// The bytes of a struct message, and back. Errors: Corrupt when the envelope has another size.
template <class T>
Bytes struct_bytes(const T& message) {
    return {reinterpret_cast<const std::byte*>(&message), sizeof message};
}
Status check_struct_size(std::size_t expected, std::size_t actual);
template <class T>
Result<T> read_struct(Bytes envelope) {
    TRY(check_struct_size(sizeof(T), envelope.size()));
    return load_le<T>(envelope.data());
}

}  // namespace tidemill::wire
