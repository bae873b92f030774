#pragma once

#include <cstdint>
#include <vector>

namespace tidemill::anomaly {

/// The sampled points, each once however many trees hold it. A slot is free again when the last
/// leaf lets go.
class PointStore {
 public:
    explicit PointStore(std::uint32_t dims) : dims_(dims) {}

    const float* data() const { return values_.data(); }
    const float* point(std::uint32_t slot) const {
        return values_.data() + std::size_t{slot} * dims_;
    }
    /// Number of the point in the stream.
    std::uint64_t sequence(std::uint32_t slot) const { return sequences_[slot]; }
    std::size_t slot_count() const { return references_.size(); }
    bool is_used(std::uint32_t slot) const { return references_[slot] != 0; }

    /// Copies the point in and returns its slot, with no references yet.
    std::uint32_t add(const float* point, std::uint64_t sequence);
    void hold(std::uint32_t slot) { ++references_[slot]; }
    void release(std::uint32_t slot) {
        if (--references_[slot] == 0) free_.push_back(slot);
    }

 private:
    std::uint32_t dims_;
    std::vector<float> values_;
    std::vector<std::uint64_t> sequences_;
    std::vector<std::uint16_t> references_;  ///< at most one a tree
    std::vector<std::uint32_t> free_;
};

}  // namespace tidemill::anomaly
