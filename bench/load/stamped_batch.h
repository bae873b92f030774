#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/bytes.h"

namespace tidemill::bench {

/// A batch whose records carry a time in their first 8 bytes, set anew for every sending. Cheaper
/// than building the batch again: only the times and the checksum change.
class StampedBatch {
 public:
    StampedBatch() = default;
    /// Copies `batch`: finished, plain, every record's data at least 8 bytes. `is_json`: the data
    /// begins as json_stamp gives it, and so does the time.
    explicit StampedBatch(Bytes batch, bool is_json = false);

    bool is_empty() const { return bytes_.empty(); }
    /// Ownership: the bytes are valid until the next call.
    Bytes stamp(std::int64_t nanoseconds);

 private:
    std::vector<std::byte> bytes_;
    std::vector<std::uint32_t> times_;  // where each record's time stands
    bool is_json_ = false;
};

/// {"t":1...: the time plus 10^18, so that it always has 19 digits.
std::string json_stamp(std::int64_t nanoseconds);
/// Nothing if the data begins with no such stamp.
std::optional<std::int64_t> read_json_stamp(std::string_view data);

}  // namespace tidemill::bench
