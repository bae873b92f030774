#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace tidemill {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

static_assert(std::endian::native == std::endian::little, "formats are little-endian in memory");

constexpr std::size_t operator""_KiB(unsigned long long n) { return n << 10; }
constexpr std::size_t operator""_MiB(unsigned long long n) { return n << 20; }
constexpr std::size_t operator""_GiB(unsigned long long n) { return n << 30; }

template <class T>
T load_le(const void* from) {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}
template <class T>
void store_le(void* to, T value) {
    std::memcpy(to, &value, sizeof value);
}

inline Bytes as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

constexpr std::size_t align_up(std::size_t n, std::size_t alignment) {
    return (n + alignment - 1) & ~(alignment - 1);
}
constexpr std::size_t align_down(std::size_t n, std::size_t alignment) {
    return n & ~(alignment - 1);
}

/// LEB128, at most 10 bytes.
constexpr std::size_t kVarintMax = 10;
inline std::size_t varint_size(std::uint64_t value) {
    return (static_cast<std::size_t>(std::bit_width(value | 1)) + 6) / 7;
}
inline std::byte* put_varint(std::byte* to, std::uint64_t value) {
    while (value >= 0x80) {
        *to++ = static_cast<std::byte>(value | 0x80);
        value >>= 7;
    }
    *to++ = static_cast<std::byte>(value);
    return to;
}
/// Returns the byte after the varint, or nullptr when it is cut short or over-long; `end` is never
/// passed.
inline const std::byte* get_varint(const std::byte* from, const std::byte* end,
                                   std::uint64_t& value) {
    std::uint64_t result = 0;
    for (unsigned shift = 0; from < end && shift < 64; shift += 7) {
        const auto byte = static_cast<std::uint64_t>(*from++);
        result |= (byte & 0x7f) << shift;
        if (byte < 0x80) {
            if (shift == 63 && byte > 1) return nullptr;
            value = result;
            return from;
        }
    }
    return nullptr;
}

}  // namespace tidemill
