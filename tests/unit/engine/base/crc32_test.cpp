#include "engine/base/crc32.h"

#include <string>

#include <doctest/doctest.h>

using namespace tidemill;

TEST_CASE("CRC-32 is zlib's") {
    CHECK(crc32(as_bytes("")) == 0);
    CHECK(crc32(as_bytes("123456789")) == 0xcbf43926);  // the check value of CRC-32/ISO-HDLC
    CHECK(crc32(as_bytes("The quick brown fox jumps over the lazy dog")) == 0x414fa339);
}

TEST_CASE("CRC-32 goes on where it stopped, at every cut") {
    std::string text;
    for (int i = 0; i < 100; ++i)
        text += static_cast<char>(i * 37);
    const auto whole = crc32(as_bytes(text));
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        const Bytes bytes = as_bytes(text);
        CHECK(crc32(bytes.subspan(cut), crc32(bytes.first(cut))) == whole);
    }
}
