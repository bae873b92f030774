#pragma once

#include <cstdint>

#include "engine/base/time.h"

namespace tidemill {

/// What went into a shard and out of it.
struct ShardUsage {
    std::uint64_t records_in = 0, bytes_in = 0;
    std::uint64_t records_out = 0, bytes_out = 0;

    ShardUsage& operator+=(const ShardUsage& more) {
        records_in += more.records_in;
        bytes_in += more.bytes_in;
        records_out += more.records_out;
        bytes_out += more.bytes_out;
        return *this;
    }
};

/// The same a second, smoothed: what was used `kMemory` ago counts for 1/e.
struct ShardRates {
    static constexpr std::chrono::milliseconds kMemory{2000};

    double records_in = 0, bytes_in = 0;
    double records_out = 0, bytes_out = 0;

    /// Goes on by `passed`, in which `used` was used.
    void add(const ShardUsage& used, std::chrono::nanoseconds passed);
    /// Below anything worth knowing.
    bool is_idle() const;
};

}  // namespace tidemill
