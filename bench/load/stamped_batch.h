#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/bytes.h"

namespace tidemill::bench {

/// A batch whose records carry a time in their first 8 bytes, set anew for every sending. Cheaper
/// than building the batch again: only the times and the checksum change.
class StampedBatch {
 public:
    StampedBatch() = default;
    /// Copies `batch`: finished, plain, every record's data at least 8 bytes.
    explicit StampedBatch(Bytes batch);

    bool is_empty() const { return bytes_.empty(); }
    /// Ownership: the bytes are valid until the next call.
    Bytes stamp(std::int64_t nanoseconds);

 private:
    std::vector<std::byte> bytes_;
    std::vector<std::uint32_t> times_;  // where each record's time stands
};

}  // namespace tidemill::bench
