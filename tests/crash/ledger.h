#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/ids.h"

namespace tidemill::test {

/// What a shard must hold, from what the broker acknowledged. A batch is named by a number that its
/// records carry, so that a reader can tell what it sees.
class ShardLedger {
 public:
    struct Batch {
        std::uint32_t records = 0;
        bool is_acknowledged = false;
        Ordinal first = 0;  ///< valid once acknowledged
    };

    /// Registers a batch before it is sent; returns its number.
    std::uint64_t sent(std::uint32_t records);
    void acknowledged(std::uint64_t batch, Ordinal first);
    std::uint64_t acknowledged_records() const { return acknowledged_records_; }

    /// Takes the next record that was read. False (with `why`) when it breaks a promise: an ordinal
    /// out of order, a record that was never sent, damaged, twice, out of its batch's order, or not
    /// where its acknowledgement said.
    bool read(Ordinal ordinal, std::string_view key, Bytes data, std::string& why);
    /// After the last record: every acknowledged batch has been seen whole.
    bool finish(std::string& why);
    /// Begins reading again from the first record.
    void restart_reading();
    Ordinal next_expected() const { return next_; }

    /// Key and data of record `index` of batch `number`: size and content follow from the two.
    static std::string key_of(std::uint64_t number, std::uint32_t index);
    static std::string data_of(std::uint64_t number, std::uint32_t index);

 private:
    std::vector<Batch> batches_;
    std::uint64_t acknowledged_records_ = 0;
    Ordinal next_ = 0;
    std::uint64_t current_ = 0;        ///< batch being read
    std::uint32_t current_index_ = 0;  ///< its next record; 0: between batches
    std::map<std::uint64_t, Ordinal> seen_;
};

}  // namespace tidemill::test
