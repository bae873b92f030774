#include "operators/anomaly/neighbour_grid.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace tidemill::anomaly {

namespace {
constexpr std::size_t kManyPoints = 1 << 16;
constexpr std::size_t kPlacesPerSlot = 4;
// So that the three cells beside each other are three places.
constexpr unsigned kFewestBits = 2;
// Wider than the radius, so that rounding cannot put neighbours two cells apart.
constexpr double kCellWidth = 1.001;
}  // namespace

NeighbourGrid::NeighbourGrid(std::size_t columns, double radius, std::size_t window)
    : axes_(std::min(columns, window < kManyPoints ? std::size_t{3} : kMaxAxes)),
      scale_(1 / (radius * kCellWidth)) {
    reset(0);
}

void NeighbourGrid::reset(std::size_t capacity) {
    const auto places = static_cast<unsigned>(std::bit_width(capacity * kPlacesPerSlot));
    bits_ = std::max(kFewestBits, places / static_cast<unsigned>(axes_));
    mask_ = (std::size_t{1} << bits_) - 1;
    first_.assign(std::size_t{1} << bits_ * axes_, kNone);
    next_.assign(capacity, kNone);
    previous_.assign(capacity, kNone);
}

void NeighbourGrid::add(std::uint32_t slot, std::span<const double> point) {
    const auto next = std::exchange(first_[place_of(cell_of(point))], slot);
    next_[slot] = next;
    previous_[slot] = kNone;
    if (next != kNone) previous_[next] = slot;
}

void NeighbourGrid::remove(std::uint32_t slot, std::span<const double> point) {
    const auto next = next_[slot], previous = previous_[slot];
    if (next != kNone) previous_[next] = previous;
    if (previous != kNone)
        next_[previous] = next;
    else
        first_[place_of(cell_of(point))] = next;
}

}  // namespace tidemill::anomaly
