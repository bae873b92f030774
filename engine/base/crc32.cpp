#include "engine/base/crc32.h"

#include <array>
#include <cstring>

namespace tidemill {
namespace {

constexpr std::uint32_t kPolynomial = 0xedb88320;  // reflected
constexpr std::size_t kSlices = 16;

using Tables = std::array<std::array<std::uint32_t, 256>, kSlices>;

// kTables[n][b]: what byte b does to the checksum when n more bytes follow it. Sixteen bytes are
// then sixteen independent look-ups instead of a chain.
constexpr Tables make_tables() {
    Tables tables{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t value = byte;
        for (int bit = 0; bit < 8; ++bit)
            value = (value >> 1) ^ ((value & 1) != 0 ? kPolynomial : 0);
        tables[0][byte] = value;
    }
    for (std::size_t n = 1; n < kSlices; ++n)
        for (std::uint32_t byte = 0; byte < 256; ++byte) {
            const std::uint32_t before = tables[n - 1][byte];
            tables[n][byte] = (before >> 8) ^ tables[0][before & 0xff];
        }
    return tables;
}
constexpr Tables kTables = make_tables();

std::uint32_t four(const std::byte* at, std::uint32_t mixed, std::size_t after) {
    std::uint32_t word;
    std::memcpy(&word, at, 4);
    word ^= mixed;
    return kTables[after + 3][word & 0xff] ^ kTables[after + 2][word >> 8 & 0xff] ^
           kTables[after + 1][word >> 16 & 0xff] ^ kTables[after][word >> 24];
}

}  // namespace

std::uint32_t crc32(Bytes bytes, std::uint32_t seed) {
    std::uint32_t value = ~seed;
    const std::byte* at = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= kSlices; at += kSlices, left -= kSlices)
        value = four(at, value, 12) ^ four(at + 4, 0, 8) ^ four(at + 8, 0, 4) ^ four(at + 12, 0, 0);
    for (; left > 0; ++at, --left)
        value = (value >> 8) ^ kTables[0][(value ^ std::to_integer<std::uint32_t>(*at)) & 0xff];
    return ~value;
}

}  // namespace tidemill
