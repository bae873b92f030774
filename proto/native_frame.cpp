#include "proto/native_frame.h"

#include <fmt/format.h>

#include "engine/base/check.h"
#include "engine/base/crc32c.h"

namespace tidemill::wire {
namespace {
constexpr std::size_t kCoveredHeader = offsetof(FrameHeader, crc);
}

Result<std::optional<FrameView>> parse_frame(Bytes bytes, std::size_t frame_bytes_max,
                                             std::size_t* needed) {
    if (needed != nullptr) *needed = sizeof(FrameHeader);
    if (bytes.size() < sizeof(FrameHeader)) return std::nullopt;
    FrameView frame;
    frame.header = load_le<FrameHeader>(bytes.data());
    const auto& header = frame.header;
    if (header.frame_bytes > frame_bytes_max)
        return fail(Errc::TooLarge, fmt::format("a frame of {} bytes; the limit is {}",
                                                header.frame_bytes, frame_bytes_max));
    const bool has_attachment = (header.flags & kAttachment) != 0;
    const std::size_t envelope_end = sizeof(FrameHeader) + std::size_t{header.envelope_words} * 8;
    if (header.frame_bytes < envelope_end || (header.flags & ~kKnownFlags) != 0 ||
        (!has_attachment && header.envelope_words != 0))
        return fail(
            Errc::Corrupt,
            fmt::format("a frame header that cannot be: {} bytes, flags {:#x}, {} envelope words",
                        header.frame_bytes, header.flags, header.envelope_words));
    if (needed != nullptr) *needed = header.frame_bytes;
    if (bytes.size() < header.frame_bytes) return std::nullopt;
    const std::size_t end = has_attachment ? envelope_end : header.frame_bytes;
    frame.envelope = bytes.subspan(sizeof(FrameHeader), end - sizeof(FrameHeader));
    frame.attachment = bytes.subspan(end, header.frame_bytes - end);
    if (crc32c(frame.envelope, crc32c(bytes.first(kCoveredHeader))) != header.crc)
        return fail(Errc::Corrupt,
                    fmt::format("the checksum of a frame of kind {} does not match", header.kind));
    return frame;
}

void write_frame_head(std::byte* to, std::uint8_t kind, std::uint8_t flags,
                      std::uint32_t request_id, Bytes envelope, std::size_t attachment_bytes) {
    const bool has_attachment = (flags & kAttachment) != 0;
    const std::size_t head_bytes = frame_head_bytes(envelope.size(), has_attachment);
    const std::size_t padded = head_bytes - sizeof(FrameHeader);
    TM_CHECK(has_attachment || attachment_bytes == 0, "an attachment needs its flag");
    TM_CHECK(!has_attachment || padded / 8 <= UINT16_MAX, "an envelope of {} bytes",
             envelope.size());
    FrameHeader header{};
    header.frame_bytes = static_cast<std::uint32_t>(head_bytes + attachment_bytes);
    header.kind = kind;
    header.flags = flags;
    header.envelope_words = static_cast<std::uint16_t>(has_attachment ? padded / 8 : 0);
    header.request_id = request_id;
    store_le(to, header);
    std::byte* body = to + sizeof(FrameHeader);
    if (!envelope.empty()) std::memcpy(body, envelope.data(), envelope.size());
    if (padded > envelope.size()) std::memset(body + envelope.size(), 0, padded - envelope.size());
    header.crc = crc32c({body, padded}, crc32c({to, kCoveredHeader}));
    store_le(to, header);
}

Status check_struct_size(std::size_t expected, std::size_t actual) {
    if (expected == actual) return {};
    return fail(Errc::Corrupt,
                fmt::format("a message of {} bytes where {} belong", actual, expected));
}

}  // namespace tidemill::wire
