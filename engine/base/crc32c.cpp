#include "engine/base/crc32c.h"

#include <array>
#include <bit>

#if defined(__x86_64__)
#include <immintrin.h>
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

// x^n modulo the polynomial, reflected, in the upper half: carryless multiplication by it moves
// 64 reflected bits n + 1 places on (Gopal et al., "Fast CRC Computation for Generic Polynomials
// Using PCLMULQDQ Instruction", Intel 2009).
constexpr std::uint64_t power_of_x(std::size_t n) {
    std::uint32_t power = 0x80000000;
    for (std::size_t i = 0; i < n; ++i)
        power = (power >> 1) ^ ((power & 1) != 0 ? kPolynomial : 0);
    return std::uint64_t{power} << 32;
}

constexpr std::size_t kFolded = 256;  // bytes that stand for all before them
constexpr auto kFoldFirst = static_cast<long long>(power_of_x(kFolded * 8 + 63));
constexpr auto kFoldSecond = static_cast<long long>(power_of_x(kFolded * 8 - 1));

#define TM_FOLDING __attribute__((target("avx512f,avx512vl,vpclmulqdq,pclmul,sse4.2")))

// Sixteen lanes of 128 bits, each multiplied on by 256 bytes and added to what stands there.
TM_FOLDING std::uint32_t crc32c_folding(Bytes bytes, std::uint32_t seed) {
    if (bytes.size() < 2 * kFolded) return crc32c_sse42(bytes, seed);
    const std::byte* p = bytes.data();
    const std::byte* const end = p + bytes.size();
    const __m512i fold = _mm512_set4_epi64(kFoldSecond, kFoldFirst, kFoldSecond, kFoldFirst);
    __m512i a = _mm512_loadu_si512(p), b = _mm512_loadu_si512(p + 64);
    __m512i c = _mm512_loadu_si512(p + 128), d = _mm512_loadu_si512(p + 192);
    a = _mm512_xor_si512(a, _mm512_zextsi128_si512(_mm_cvtsi32_si128(static_cast<int>(~seed))));
    const auto folded = [&fold](__m512i lane, const std::byte* next) TM_FOLDING {
        constexpr int kXorOfThree = 0x96;
        return _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(lane, fold, 0x00),
                                         _mm512_clmulepi64_epi128(lane, fold, 0x11),
                                         _mm512_loadu_si512(next), kXorOfThree);
    };
    for (p += kFolded; static_cast<std::size_t>(end - p) >= kFolded; p += kFolded) {
        a = folded(a, p);
        b = folded(b, p + 64);
        c = folded(c, p + 128);
        d = folded(d, p + 192);
    }
    alignas(64) std::array<std::byte, kFolded> rest;
    _mm512_store_si512(rest.data(), a);
    _mm512_store_si512(rest.data() + 64, b);
    _mm512_store_si512(rest.data() + 128, c);
    _mm512_store_si512(rest.data() + 192, d);
    // The seed is inside already: ~0 here stands for a register that begins with zero.
    return crc32c_sse42({p, static_cast<std::size_t>(end - p)}, crc32c_sse42(rest, UINT32_MAX));
}

#undef TM_FOLDING

bool can_fold() {
    return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
           __builtin_cpu_supports("vpclmulqdq") != 0 && __builtin_cpu_supports("pclmul") != 0;
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
    static const bool has_folding = has_sse42 && can_fold();
    if (has_folding) return crc32c_folding(bytes, seed);
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
