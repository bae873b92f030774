#include "proto/sequence_number.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <iterator>

namespace tidemill {
namespace {

// 192 bits as three words, most significant first: enough for the 186 of a sequence number.
using Words = std::array<std::uint64_t, 3>;
__extension__ using Wide = unsigned __int128;

void append_bits(Words& words, std::uint64_t value, unsigned bits) {
    for (unsigned i = 0; i < 2; ++i) {
        words[i] = bits == 64 ? words[i + 1] : words[i] << bits | words[i + 1] >> (64 - bits);
    }
    words[2] = bits == 64 ? value : words[2] << bits | value;
}

std::uint64_t take_bits(Words& words, unsigned bits) {
    const std::uint64_t value = bits == 64 ? words[2] : words[2] & ((std::uint64_t{1} << bits) - 1);
    for (unsigned i = 2; i > 0; --i)
        words[i] = bits == 64 ? words[i - 1] : words[i] >> bits | words[i - 1] << (64 - bits);
    words[0] = bits == 64 ? 0 : words[0] >> bits;
    return value;
}

constexpr std::size_t kChunkDigits = 19;

/// Writes 19 digits that end before `end`; returns where they begin.
char* write_chunk(std::uint64_t value, char* end) {
    char digits[kChunkDigits + 1];
    const char* const behind = std::to_chars(digits, std::end(digits), value).ptr;
    const auto count = static_cast<std::size_t>(behind - digits);
    std::memcpy(end - count, digits, count);
    std::memset(end - kChunkDigits, '0', kChunkDigits - count);
    return end - kChunkDigits;
}

}  // namespace

std::string SequenceNumber::to_string() const {
    Words words{};
    append_bits(words, 2, 4);
    append_bits(words, static_cast<std::uint64_t>(shard_created_s) & 0xfffffffff, 36);
    append_bits(words, shard_index & 0xf, 4);
    append_bits(words, ordinal & kEndingOrdinal, 64);
    append_bits(words, 0, 8);
    append_bits(words, static_cast<std::uint64_t>(record_s) & 0xfffffffff, 36);
    append_bits(words, shard_index, 32);
    append_bits(words, 2, 4);

    // From the end, 19 digits at a time; words that have become 0 are left out.
    constexpr std::uint64_t kChunk = 10'000'000'000'000'000'000u;
    char digits[4 * kChunkDigits];
    char* begin = std::end(digits);
    for (std::size_t first = 0; first < words.size();) {
        std::uint64_t remainder = 0;
        for (std::size_t i = first; i < words.size(); ++i) {
            const Wide part = Wide{remainder} << 64 | words[i];
            words[i] = static_cast<std::uint64_t>(part / kChunk);
            remainder = static_cast<std::uint64_t>(part) - words[i] * kChunk;
        }
        while (first < words.size() && words[first] == 0)
            ++first;
        begin = write_chunk(remainder, begin);
    }
    return {std::find_if(begin, std::end(digits) - 1, [](char c) { return c != '0'; }),
            std::end(digits)};
}

std::optional<SequenceNumber> SequenceNumber::parse(std::string_view text) {
    if (text.size() != 56 || text[0] == '0') return {};
    Words words{};
    for (const char c : text) {
        if (c < '0' || c > '9') return {};
        auto carry = static_cast<std::uint64_t>(c - '0');
        for (std::size_t i = 3; i-- > 0;) {
            const Wide product = Wide{words[i]} * 10 + carry;
            words[i] = static_cast<std::uint64_t>(product);
            carry = static_cast<std::uint64_t>(product >> 64);
        }
        if (carry != 0) return {};
    }
    SequenceNumber number;
    if (take_bits(words, 4) != 2) return {};
    number.shard_index = static_cast<std::uint32_t>(take_bits(words, 32));
    number.record_s = static_cast<std::int64_t>(take_bits(words, 36));
    if (take_bits(words, 8) != 0) return {};
    number.ordinal = take_bits(words, 64);
    if (number.ordinal > kEndingOrdinal) return {};
    if (take_bits(words, 4) != (number.shard_index & 0xf)) return {};
    number.shard_created_s = static_cast<std::int64_t>(take_bits(words, 36));
    if (take_bits(words, 4) != 2 || words != Words{}) return {};
    return number;
}

}  // namespace tidemill
