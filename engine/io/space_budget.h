#pragma once

#include <atomic>
#include <cstdint>

namespace tidemill {

/// What a taking of space is for.
enum class SpaceUse : std::uint8_t {
    Producers,  ///< room for records that are still to come
    Upkeep,     ///< what frees space or tells of it: rewriting, footers, controls
};

/// The bytes that all lanes of a data directory may hold together. The last `reserve` of them are
/// kept for upkeep, so that space can still be freed when producers are refused.
/// Threads: any.
class SpaceBudget {
 public:
    /// `total` 0: no bound but the disk's own.
    SpaceBudget(std::uint64_t total, std::uint64_t reserve) : total_(total), reserve_(reserve) {}
    SpaceBudget(const SpaceBudget&) = delete;
    SpaceBudget& operator=(const SpaceBudget&) = delete;

    std::uint64_t total() const { return total_; }
    std::uint64_t used() const { return used_.load(std::memory_order_relaxed); }
    /// Bytes beyond which producers are refused; 0: no bound.
    std::uint64_t bound(SpaceUse use) const {
        return use == SpaceUse::Producers && total_ > reserve_ ? total_ - reserve_ : total_;
    }

    /// Takes `bytes` if they fit within the bound of their use.
    bool try_take(std::uint64_t bytes, SpaceUse use) {
        auto used = used_.load(std::memory_order_relaxed);
        do {
            if (total_ != 0 && used + bytes > bound(use)) return false;
        } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
        return true;
    }
    /// Counts what is there in any case: found at a start, or a few blocks behind a full segment.
    void take(std::uint64_t bytes) { used_.fetch_add(bytes, std::memory_order_relaxed); }
    void give_back(std::uint64_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }

 private:
    const std::uint64_t total_, reserve_;
    std::atomic<std::uint64_t> used_{0};
};

}  // namespace tidemill
