// link: engine/aws
#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/aws/event_stream.h"
#include "engine/base/check.h"
#include "engine/base/crc32.h"

using namespace tidemill;

namespace {

void put_be(std::string& bytes, std::size_t at, std::uint32_t value) {
    for (std::size_t i = 0; i < 4; ++i)
        bytes[at + i] = static_cast<char>(value >> (24 - 8 * i) & 0xff);
}

void read(Bytes bytes) {
    const auto frame = aws::parse_event_frame(bytes);
    if (!frame || !*frame) return;
    std::size_t inside = 16 + (*frame)->payload.size();
    for (const auto& header : (*frame)->headers) {
        const bool has_length = header.type == aws::EventHeaderType::String ||
                                header.type == aws::EventHeaderType::Bytes;
        inside += 2 + header.name.size() + header.value.size() + (has_length ? 2 : 0);
    }
    TM_CHECK(inside == (*frame)->bytes && inside <= bytes.size());
}

}  // namespace

/// Frames as they come, and with their checksums made right: these stop nearly every mutation.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string bytes(reinterpret_cast<const char*>(data), size);
    read(as_bytes(bytes));
    if (size < 16) return 0;
    put_be(bytes, 0, static_cast<std::uint32_t>(size));
    put_be(bytes, 8, crc32(as_bytes(bytes).first(8)));
    put_be(bytes, size - 4, crc32(as_bytes(bytes).first(size - 4)));
    read(as_bytes(bytes));
    return 0;
}
