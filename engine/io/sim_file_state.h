#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/random.h"
#include "engine/io/sim_bytes.h"

namespace tidemill {

/// What a loss of power does to a write that has not been made durable.
enum class PowerLoss : std::uint8_t {
    Chance,  ///< each is lost, torn at 512 bytes, or present, by the seed
    LoseAll,
    KeepAll,
    ProcessOnly,  ///< no loss of power: the process is killed, and what it wrote stays as cached as
                  ///< it was; writes in flight by chance
};

/// One simulated file: the bytes the running process sees, and those that a loss of power leaves.
class SimFileState {
 public:
    std::uint64_t size() const { return size_; }
    std::uint64_t allocated_bytes() const { return seen_.allocated_bytes(); }
    std::uint64_t growth_of(std::uint64_t offset, std::uint64_t length) const {
        return seen_.growth_of(offset, length);
    }

    std::size_t read(std::uint64_t offset, MutableBytes into) const;
    void write(std::uint64_t offset, Bytes bytes, bool is_durable);
    /// A write that failed: each of its sectors by chance.
    void write_some(std::uint64_t offset, Bytes bytes, Random& random);
    /// Appends zeros. Until a sync nothing that is written there is durable.
    void grow(std::uint64_t length);
    void punch(std::uint64_t offset, std::uint64_t length);
    void sync();
    /// What was written since the last sync stays visible, but no later sync will save it.
    void fail_sync() { dirty_pages_.clear(); }
    void flip_bit(std::uint64_t offset, unsigned bit);
    /// What somebody else had written there long ago.
    void plant(std::uint64_t offset, Bytes bytes);

    /// In this order on a crash: the unsynced pages, then each write in flight, then `restart`.
    void lose_unsynced(PowerLoss style, Random& random);
    void lose_in_flight(std::uint64_t offset, Bytes bytes, PowerLoss style, Random& random);
    void restart();

 private:
    SimBytes seen_, durable_;
    std::vector<bool> dirty_pages_;  // by page; shorter than the file when the rest is clean
    std::uint64_t size_ = 0, durable_size_ = 0;
    std::uint64_t grown_from_ = UINT64_MAX;  // grown from there on since the last sync
};

}  // namespace tidemill
