#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>

#include "engine/base/bytes.h"

namespace tidemill {

/// What a device writes whole, or not at all.
constexpr std::size_t kSimSector = 512;

/// A sparse run of bytes: the content of a simulated file. What was never written reads as zeros.
/// Zeros that were written take up space in `allocated_bytes`, but no memory.
class SimBytes {
 public:
    static constexpr std::size_t kPage = 4096;

    SimBytes() = default;
    SimBytes(const SimBytes& other) { *this = other; }
    SimBytes& operator=(const SimBytes& other);

    void write(std::uint64_t offset, Bytes bytes);
    void read(std::uint64_t offset, MutableBytes into) const;
    /// Forgets whole pages inside the range and zeroes the rest of it.
    void punch(std::uint64_t offset, std::uint64_t length);
    void flip_bit(std::uint64_t offset, unsigned bit);
    std::uint64_t allocated_bytes() const { return pages_.size() * kPage; }
    /// How many more bytes a write of this range would allocate.
    std::uint64_t growth_of(std::uint64_t offset, std::uint64_t length) const;
    /// Makes the range equal to `from`'s.
    void copy(const SimBytes& from, std::uint64_t offset, std::uint64_t length);
    /// Forgets everything from `size` on.
    void truncate(std::uint64_t size);

 private:
    using Page = std::array<std::byte, kPage>;
    std::map<std::uint64_t, std::unique_ptr<Page>> pages_;  // null: written, and all zeros
};

}  // namespace tidemill
