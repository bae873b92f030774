#pragma once

#include <cstddef>
#include <cstdint>

namespace tidemill::anomaly {

// docs/formats/forest_snapshot.md
constexpr std::uint32_t kSnapshotMagic = 0x46524d54;  // "TMRF"
constexpr std::uint16_t kSnapshotVersion = 1;
constexpr std::size_t kSnapshotLengthAt = 8;
constexpr std::size_t kSnapshotHeaderBytes = 64;

/// Bytes in which every number below `bound` fits.
constexpr std::uint32_t small_bytes(std::uint32_t bound) {
    return bound <= 0x100 ? 1 : bound <= 0x10000 ? 2 : bound <= 0x1000000 ? 3 : 4;
}

}  // namespace tidemill::anomaly
