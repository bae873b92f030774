#include "engine/base/crc32c.h"

#include <array>
#include <bit>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace tidemill {
namespace {

constexpr std::uint32_t kPolynomial = 0x82f63b78;  // reflected 0x1EDC6F41

constexpr auto kTable = [] {
    std::array<std::array<std::uint32_t, 256>, 8> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t crc = i;
        for (int bit = 0; bit < 8; ++bit)
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
        table[0][i] = crc;
    }
    for (std::uint32_t i = 0; i < 256; ++i)
        for (std::size_t k = 1; k < 8; ++k)
            table[k][i] = (table[k - 1][i] >> 8) ^ table[0][table[k - 1][i] & 0xff];
    return table;
}();

#if defined(__x86_64__)

// crc of `count` zero bytes appended, as four byte-indexed tables: lets three streams run side by
// side and be joined.
struct ZeroShift {
    std::array<std::array<std::uint32_t, 256>, 4> table{};

    constexpr explicit ZeroShift(std::size_t count) {
        std::array<std::uint32_t, 32> columns{};
        for (std::uint32_t bit = 0; bit < 32; ++bit) {
            std::uint32_t crc = 1u << bit;
            for (std::size_t i = 0; i < count; ++i)
                crc = (crc >> 8) ^ kTable[0][crc & 0xff];
            columns[bit] = crc;
        }
        for (std::uint32_t k = 0; k < 4; ++k)
            for (std::uint32_t value = 0; value < 256; ++value)
                for (std::uint32_t bit = 0; bit < 8; ++bit)
                    if ((value >> bit & 1) != 0) table[k][value] ^= columns[k * 8 + bit];
    }

    std::uint32_t operator()(std::uint32_t crc) const {
        return table[0][crc & 0xff] ^ table[1][crc >> 8 & 0xff] ^ table[2][crc >> 16 & 0xff] ^
               table[3][crc >> 24];
    }
};

constexpr std::size_t kLong = 4096, kShort = 256;
const ZeroShift kAfterLong{kLong}, kAfterShort{kShort};

// Three independent chains hide the instruction's latency of three cycles.
template <std::size_t kStep>
__attribute__((target("sse4.2"))) const std::byte* three_way(const std::byte* p,
                                                             const std::byte* end,
                                                             std::uint64_t& crc,
                                                             const ZeroShift& shift) {
    while (static_cast<std::size_t>(end - p) >= 3 * kStep) {
        std::uint64_t a = crc, b = 0, c = 0;
        for (std::size_t i = 0; i < kStep; i += 8) {
            a = _mm_crc32_u64(a, load_le<std::uint64_t>(p + i));
            b = _mm_crc32_u64(b, load_le<std::uint64_t>(p + i + kStep));
            c = _mm_crc32_u64(c, load_le<std::uint64_t>(p + i + 2 * kStep));
        }
        crc = shift(shift(static_cast<std::uint32_t>(a)) ^ static_cast<std::uint32_t>(b)) ^ c;
        p += 3 * kStep;
    }
    return p;
}

__attribute__((target("sse4.2"))) std::uint32_t crc32c_sse42(Bytes bytes, std::uint32_t seed) {
    const std::byte* p = bytes.data();
    const std::byte* const end = p + bytes.size();
    std::uint64_t crc = ~seed;
    p = three_way<kLong>(p, end, crc, kAfterLong);
    p = three_way<kShort>(p, end, crc, kAfterShort);
    for (; end - p >= 8; p += 8)
        crc = _mm_crc32_u64(crc, load_le<std::uint64_t>(p));
    auto crc32 = static_cast<std::uint32_t>(crc);
    for (; p < end; ++p)
        crc32 = _mm_crc32_u8(crc32, static_cast<std::uint8_t>(*p));
    return ~crc32;
}

#endif

}  // namespace

std::uint32_t crc32c_portable(Bytes bytes, std::uint32_t seed) {
    const std::byte* p = bytes.data();
    const std::byte* const end = p + bytes.size();
    std::uint32_t crc = ~seed;
    for (; end - p >= 8; p += 8) {
        const auto word = load_le<std::uint64_t>(p) ^ crc;
        crc = 0;
        for (std::size_t k = 0; k < 8; ++k)
            crc ^= kTable[7 - k][word >> (8 * k) & 0xff];
    }
    for (; p < end; ++p)
        crc = (crc >> 8) ^ kTable[0][(crc ^ static_cast<std::uint32_t>(*p)) & 0xff];
    return ~crc;
}

std::uint32_t crc32c(Bytes bytes, std::uint32_t seed) {
#if defined(__x86_64__)
    static const bool has_sse42 = __builtin_cpu_supports("sse4.2") != 0;
    if (has_sse42) return crc32c_sse42(bytes, seed);
#endif
    return crc32c_portable(bytes, seed);
}

// The checksum is linear: the difference that a bit makes depends only on how many bytes follow it.
std::optional<std::size_t> flipped_bit(std::size_t bytes, std::uint32_t difference) {
    if (std::popcount(difference) == 1)
        return bytes * 8 + static_cast<std::size_t>(std::countr_zero(difference));
    std::array<std::uint32_t, 8> made{};
    for (std::size_t bit = 0; bit < 8; ++bit)
        made[bit] = kTable[0][std::size_t{1} << bit];
    for (std::size_t at = bytes; at-- > 0;)
        for (std::size_t bit = 0; bit < 8; ++bit) {
            if (made[bit] == difference) return at * 8 + bit;
            made[bit] = (made[bit] >> 8) ^ kTable[0][made[bit] & 0xff];
        }
    return std::nullopt;
}

}  // namespace tidemill
