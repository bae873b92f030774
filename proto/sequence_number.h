#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/ids.h"
#include "engine/base/time.h"

namespace tidemill {

/// The sequence number that Kinesis clients see: 186 bits, printed as 56 decimal digits, in the
/// layout that KCL's validator parses. From the top, in hex digits: 2 (1), the shard's creation
/// second (9), the low nibble of the shard index (1), the ordinal (16, first digit below 8), 00
/// (2), the record's second (9), the shard index (8), 2 (1). Source: reference of KCL's
/// SequenceNumberValidator.
struct SequenceNumber {
    std::int64_t shard_created_s = 0;
    std::uint32_t shard_index = 0;  ///< the number in shardId-000000000000
    Ordinal ordinal = 0;
    std::int64_t record_s = 0;

    /// Of the record at `ordinal` of a shard. Its counter is the ordinal plus one: zero is the
    /// shard's StartingSequenceNumber, which belongs to no record, so that "after the start"
    /// includes the first one.
    static SequenceNumber of_record(std::int64_t shard_created_s, std::uint32_t shard_index,
                                    Ordinal ordinal, std::int64_t record_s) {
        return {shard_created_s, shard_index, ordinal + 1, record_s};
    }

    std::string to_string() const;
    /// Nothing when the text is no such number. Limits: digits only, no leading zero.
    static std::optional<SequenceNumber> parse(std::string_view text);
    bool operator==(const SequenceNumber&) const = default;
};

/// The ordinal part of a closed shard's EndingSequenceNumber.
constexpr Ordinal kEndingOrdinal = 0x7fffffffffffffff;

}  // namespace tidemill
