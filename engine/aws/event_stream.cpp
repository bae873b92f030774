#include "engine/aws/event_stream.h"

#include <fmt/format.h>

#include "engine/base/check.h"
#include "engine/base/crc32.h"

namespace tidemill::aws {
namespace {

constexpr std::size_t kPreludeBytes = 12;  // both lengths and their checksum
constexpr std::size_t kChecksumBytes = 4;

void put_be(char* at, std::uint32_t value) {
    for (int i = 0; i < 4; ++i)
        at[i] = static_cast<char>(value >> (24 - 8 * i) & 0xff);
}

std::uint32_t get_be(const std::byte* at, std::size_t bytes) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i)
        value = value << 8 | std::to_integer<std::uint32_t>(at[i]);
    return value;
}

std::unexpected<Error> broken(std::string_view what) {
    return fail(Errc::Corrupt, fmt::format("an event's frame is broken: {}", what));
}

/// How long a value is; nothing for a type that there is not. `rest` begins behind the type.
std::optional<std::size_t> value_bytes(EventHeaderType type, Bytes rest) {
    switch (type) {
        case EventHeaderType::True:
        case EventHeaderType::False:
            return 0;
        case EventHeaderType::Byte:
            return 1;
        case EventHeaderType::Short:
            return 2;
        case EventHeaderType::Integer:
            return 4;
        case EventHeaderType::Long:
        case EventHeaderType::Timestamp:
            return 8;
        case EventHeaderType::Uuid:
            return 16;
        case EventHeaderType::Bytes:
        case EventHeaderType::String:
            return rest.size() < 2 ? 2 : get_be(rest.data(), 2);
    }
    return std::nullopt;
}

Result<EventHeader> take_header(Bytes& rest) {
    const std::size_t name_bytes = std::to_integer<std::size_t>(rest[0]);
    if (name_bytes == 0 || rest.size() < name_bytes + 2)
        return broken("a header's name does not fit");
    EventHeader header;
    header.name = as_text(rest.subspan(1, name_bytes));
    header.type = static_cast<EventHeaderType>(std::to_integer<std::uint8_t>(rest[name_bytes + 1]));
    rest = rest.subspan(name_bytes + 2);
    const auto size = value_bytes(header.type, rest);
    if (!size) return broken("a header is of no known type");
    const bool has_length =
        header.type == EventHeaderType::Bytes || header.type == EventHeaderType::String;
    const std::size_t before = has_length ? 2 : 0;
    if (rest.size() < before + *size) return broken("a header's value does not fit");
    header.value = rest.subspan(before, *size);
    rest = rest.subspan(before + *size);
    return header;
}

}  // namespace

EventFrameWriter::EventFrameWriter(std::string& out, std::initializer_list<EventText> headers)
    : out_(out), at_(out.size()) {
    out_.resize(at_ + kPreludeBytes);
    for (const auto& [name, value] : headers) {
        TM_CHECK(!name.empty() && name.size() <= 0xff && value.size() <= 0xffff);
        out_ += static_cast<char>(name.size());
        out_ += name;
        out_ += static_cast<char>(EventHeaderType::String);
        out_ += static_cast<char>(value.size() >> 8);
        out_ += static_cast<char>(value.size() & 0xff);
        out_ += value;
    }
    headers_bytes_ = out_.size() - at_ - kPreludeBytes;
}

void EventFrameWriter::finish() {
    const std::size_t bytes = out_.size() - at_ + kChecksumBytes;
    char* const frame = &out_[at_];
    put_be(frame, static_cast<std::uint32_t>(bytes));
    put_be(frame + 4, static_cast<std::uint32_t>(headers_bytes_));
    put_be(frame + 8, crc32(as_bytes(std::string_view(frame, 8))));
    const Bytes whole = as_bytes(std::string_view(out_).substr(at_));
    char checksum[kChecksumBytes];
    put_be(checksum, crc32(whole));
    out_.append(checksum, sizeof checksum);
}

std::string_view EventFrame::text(std::string_view name) const {
    for (const auto& header : headers)
        if (header.name == name)
            return header.type == EventHeaderType::String ? as_text(header.value)
                                                          : std::string_view{};
    return {};
}

Result<std::optional<EventFrame>> parse_event_frame(Bytes bytes) {
    if (bytes.size() < kPreludeBytes) return std::nullopt;
    if (get_be(&bytes[8], 4) != crc32(bytes.first(8)))
        return broken("the checksum of its lengths is wrong");
    const std::size_t total = get_be(bytes.data(), 4);
    const std::size_t headers_bytes = get_be(&bytes[4], 4);
    if (headers_bytes > kEventHeadersMax)
        return fail(Errc::TooLarge, fmt::format("an event has {} bytes of headers", headers_bytes));
    const std::size_t around = kPreludeBytes + headers_bytes + kChecksumBytes;
    if (total < around) return broken("its headers do not fit");
    if (total - around > kEventPayloadMax)
        return fail(Errc::TooLarge, fmt::format("an event is of {} bytes", total));
    if (bytes.size() < total) return std::nullopt;
    const Bytes checked = bytes.first(total - kChecksumBytes);
    if (get_be(&bytes[checked.size()], 4) != crc32(checked)) return broken("its checksum is wrong");

    EventFrame frame;
    frame.bytes = total;
    frame.payload = checked.subspan(kPreludeBytes + headers_bytes);
    Bytes rest = checked.subspan(kPreludeBytes, headers_bytes);
    while (!rest.empty()) {
        ASSIGN(EventHeader header, take_header(rest));
        frame.headers.push_back(header);
    }
    return frame;
}

}  // namespace tidemill::aws
