#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/result.h"

/// Frames of application/vnd.amazon.eventstream, in which AWS pushes documents over one answer.
/// Big-endian: total length (u32), length of the headers (u32), CRC-32 of these eight bytes,
/// headers (a name, a type, a value each), the payload, CRC-32 of everything before.
/// Source: the event stream specification of Smithy.
namespace tidemill::aws {

constexpr const char* kEventStreamType = "application/vnd.amazon.eventstream";
/// Limits that the clients hold themselves to.
constexpr std::size_t kEventHeadersMax = 128_KiB;
constexpr std::size_t kEventPayloadMax = 24_MiB;

struct EventText {
    std::string_view name, value;
};

/// Appends one frame to `out`: headers at once, then whoever has made it appends the payload to
/// `out`, then `finish`. Limits: names up to 255 bytes, values up to 64 KiB - 1: TM_CHECKed.
class EventFrameWriter {
 public:
    EventFrameWriter(std::string& out, std::initializer_list<EventText> headers);
    /// Fills in lengths and checksums. Once.
    void finish();

 private:
    std::string& out_;
    std::size_t at_;  // where the frame begins
    std::size_t headers_bytes_ = 0;
};

/// What may follow a header's name. Numbers, times and UUIDs are kept as their bytes.
enum class EventHeaderType : std::uint8_t {
    True = 0,
    False = 1,
    Byte = 2,
    Short = 3,
    Integer = 4,
    Long = 5,
    Bytes = 6,
    String = 7,
    Timestamp = 8,
    Uuid = 9,
};

struct EventHeader {
    std::string_view name;
    EventHeaderType type = EventHeaderType::String;
    Bytes value;
};

/// One frame. Views the bytes it was read from.
struct EventFrame {
    std::vector<EventHeader> headers;
    Bytes payload;
    std::size_t bytes = 0;  ///< of the whole frame

    /// The first header of that name if it is a string; else empty.
    std::string_view text(std::string_view name) const;
};

/// The frame that `bytes` begins with; nothing when more of it must come. Errors: Corrupt (a
/// checksum, lengths that do not fit), TooLarge.
Result<std::optional<EventFrame>> parse_event_frame(Bytes bytes);

}  // namespace tidemill::aws
