#include "engine/security/base64.h"

#include <array>

namespace tidemill {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint32_t kForeign = 1u << 31;

// Value of a character, already shifted to its place in the group of 24 bits; kForeign sticks
// through the OR.
constexpr auto kDecode = [] {
    std::array<std::array<std::uint32_t, 256>, 4> tables{};
    for (auto& table : tables)
        table.fill(kForeign);
    for (std::uint32_t place = 0; place < 4; ++place)
        for (std::uint32_t i = 0; i < 64; ++i)
            tables[place][static_cast<unsigned char>(kAlphabet[i])] = i << (18 - 6 * place);
    return tables;
}();

// Two characters for each 12 bits.
constexpr auto kEncodePairs = [] {
    std::array<std::array<char, 2>, 4096> pairs{};
    for (std::size_t i = 0; i < pairs.size(); ++i)
        pairs[i] = {kAlphabet[i >> 6], kAlphabet[i & 63]};
    return pairs;
}();

std::uint32_t decode_group(const unsigned char* text) {
    return kDecode[0][text[0]] | kDecode[1][text[1]] | kDecode[2][text[2]] | kDecode[3][text[3]];
}

}  // namespace

char* base64_encode(Bytes bytes, char* to) {
    const auto* from = reinterpret_cast<const unsigned char*>(bytes.data());
    std::size_t left = bytes.size();
    const auto put = [&to](std::uint32_t group) {
        std::memcpy(to, kEncodePairs[group >> 12].data(), 2);
        std::memcpy(to + 2, kEncodePairs[group & 0xfff].data(), 2);
        to += 4;
    };
    for (; left >= 3; left -= 3, from += 3)
        put(static_cast<std::uint32_t>(from[0] << 16 | from[1] << 8 | from[2]));
    if (left == 2) {
        put(static_cast<std::uint32_t>(from[0] << 16 | from[1] << 8));
        to[-1] = '=';
    } else if (left == 1) {
        put(static_cast<std::uint32_t>(from[0] << 16));
        to[-1] = to[-2] = '=';
    }
    return to;
}

std::string base64_encode(Bytes bytes) {
    std::string text(base64_encoded_size(bytes.size()), '\0');
    base64_encode(bytes, text.data());
    return text;
}

std::byte* base64_decode(std::string_view text, std::byte* to) {
    if (text.size() % 4 != 0) return nullptr;
    if (text.empty()) return to;
    const auto* from = reinterpret_cast<const unsigned char*>(text.data());
    const auto* last = from + text.size() - 4;
    for (; from < last; from += 4, to += 3) {
        const std::uint32_t group = decode_group(from);
        if (group & kForeign) return nullptr;
        to[0] = static_cast<std::byte>(group >> 16);
        to[1] = static_cast<std::byte>(group >> 8);
        to[2] = static_cast<std::byte>(group);
    }
    unsigned char tail[4] = {last[0], last[1], last[2], last[3]};
    std::size_t padding = 0;
    if (tail[3] == '=') {
        tail[3] = 'A';
        padding = 1;
        if (tail[2] == '=') {
            tail[2] = 'A';
            padding = 2;
        }
    }
    const std::uint32_t group = decode_group(tail);
    if (group & kForeign) return nullptr;
    if (padding > 0 && (group & ((1u << (8 * padding)) - 1)) != 0) return nullptr;
    *to++ = static_cast<std::byte>(group >> 16);
    if (padding < 2) *to++ = static_cast<std::byte>(group >> 8);
    if (padding < 1) *to++ = static_cast<std::byte>(group);
    return to;
}

std::optional<std::vector<std::byte>> base64_decode(std::string_view text) {
    std::vector<std::byte> bytes(base64_decoded_max(text.size()));
    // An empty vector's data may be null, which is also how failure reads.
    std::byte none{};
    std::byte* begin = bytes.empty() ? &none : bytes.data();
    const std::byte* end = base64_decode(text, begin);
    if (end == nullptr) return std::nullopt;
    bytes.resize(static_cast<std::size_t>(end - begin));
    return bytes;
}

}  // namespace tidemill
