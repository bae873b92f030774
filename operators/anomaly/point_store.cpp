#include "operators/anomaly/point_store.h"

#include <algorithm>

namespace tidemill::anomaly {

std::uint32_t PointStore::add(const float* point, std::uint64_t sequence) {
    std::uint32_t slot;
    if (free_.empty()) {
        slot = static_cast<std::uint32_t>(references_.size());
        references_.push_back(0);
        sequences_.push_back(sequence);
        values_.insert(values_.end(), point, point + dims_);
    } else {
        slot = free_.back();
        free_.pop_back();
        sequences_[slot] = sequence;
        std::copy_n(point, dims_, values_.begin() + static_cast<std::ptrdiff_t>(slot) * dims_);
    }
    return slot;
}

}  // namespace tidemill::anomaly
