#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace tidemill::anomaly {

/// Points in cells a little wider than a radius, by some of their columns (axes), so that
/// all within the radius of a point lie in its own and the adjoining cells. Cells that are a
/// table's width apart share a list: one more distance to compute, no key to compare. Points are
/// numbered slots; the grid keeps no coordinates.
class NeighbourGrid {
 public:
    /// `window`: how many points there will be, at most; many are worth more axes.
    NeighbourGrid(std::size_t columns, double radius, std::size_t window);

    /// Forgets all points and makes room for slots below `capacity`.
    void reset(std::size_t capacity);
    void add(std::uint32_t slot, std::span<const double> point);
    void remove(std::uint32_t slot, std::span<const double> point);

    /// Visits every slot that may be within the radius of `point`, each once.
    template <class F>
    void for_each_near(std::span<const double> point, F&& visit) const {
        const Cell centre = cell_of(point);
        switch (axes_) {
            case 1:
                return walk<1>(centre, 0, visit);
            case 2:
                return walk<2>(centre, 0, visit);
            case 3:
                return walk<3>(centre, 0, visit);
            case 4:
                return walk<4>(centre, 0, visit);
            default:
                return walk<kMaxAxes>(centre, 0, visit);
        }
    }

 private:
    static constexpr std::uint32_t kNone = 0xffffffff;
    static constexpr std::size_t kMaxAxes = 5;
    using Cell = std::array<std::size_t, kMaxAxes>;

    /// The cell's three neighbours along each of the axes that are left.
    template <std::size_t Axes, class F>
    void walk(const Cell& centre, std::size_t place, F&& visit) const {
        if constexpr (Axes == 0) {
            for (auto slot = first_[place]; slot != kNone; slot = next_[slot])
                visit(slot);
        } else {
            for (std::size_t i = 0; i < 3; ++i)
                walk<Axes - 1>(centre,
                               place | ((centre[Axes - 1] + i - 1) & mask_) << (Axes - 1) * bits_,
                               visit);
        }
    }

    Cell cell_of(std::span<const double> point) const {
        Cell cell{};
        for (std::size_t i = 0; i < axes_; ++i) {
            // Far out, where doubles are coarse, cells would be wrong: all beyond is one cell.
            const double at = std::fmin(std::fmax(point[i] * scale_, -kFar), kFar);
            cell[i] = static_cast<std::size_t>(static_cast<std::int64_t>(std::floor(at)));
        }
        return cell;
    }
    std::size_t place_of(const Cell& cell) const {
        std::size_t place = 0;
        for (std::size_t i = 0; i < axes_; ++i)
            place |= (cell[i] & mask_) << i * bits_;
        return place;
    }

    static constexpr double kFar = 68719476736.0;  // 2^36
    std::size_t axes_;
    double scale_;
    unsigned bits_ = 0;  // of a column's cell that choose the place
    std::size_t mask_ = 0;
    std::vector<std::uint32_t> first_;            // of each place
    std::vector<std::uint32_t> next_, previous_;  // of each slot, within its place
};

}  // namespace tidemill::anomaly
