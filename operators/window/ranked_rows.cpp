#include "operators/window/ranked_rows.h"

#include <algorithm>

namespace tidemill::sql {

std::uint32_t RankedRows::take_room(std::uint32_t room_class) {
    if (free_.size() <= room_class) free_.resize(room_class + 1);
    auto& free = free_[room_class];
    if (!free.empty()) {
        const auto begin = free.back();
        free.pop_back();
        return begin;
    }
    const auto begin = static_cast<std::uint32_t>(pool_.size());
    pool_.resize(pool_.size() + room(room_class));
    return begin;
}

void RankedRows::insert(std::size_t index, std::size_t place, const RankedRow& row) {
    auto& group = groups_[index];
    if (group.room_class == kNoRoom) {
        group.begin = take_room(0);
        group.room_class = 0;
    } else if (group.size == room(group.room_class)) {
        const auto begin = take_room(group.room_class + 1);
        std::copy_n(pool_.begin() + group.begin, group.size, pool_.begin() + begin);
        free_[group.room_class].push_back(group.begin);
        group.begin = begin;
        ++group.room_class;
    }
    auto* rows = pool_.data() + group.begin;
    std::copy_backward(rows + place, rows + group.size, rows + group.size + 1);
    rows[place] = row;
    ++group.size;
    ++rows_;
}

RankedRow RankedRows::insert_and_drop_last(std::size_t group, std::size_t place,
                                           const RankedRow& row) {
    const auto rows = of(group);
    const auto last = rows.back();
    std::copy_backward(rows.begin() + static_cast<std::ptrdiff_t>(place), rows.end() - 1,
                       rows.end());
    rows[place] = row;
    return last;
}

void RankedRows::clear_group(std::size_t index) {
    auto& group = groups_[index];
    rows_ -= group.size;
    if (group.room_class != kNoRoom) {
        if (free_.size() <= group.room_class) free_.resize(group.room_class + 1);
        free_[group.room_class].push_back(group.begin);
    }
    group = {};
}

void RankedRows::keep(std::span<const std::uint32_t> groups) {
    RankedRows kept;
    kept.resize(groups.size());
    for (std::size_t i = 0; i < groups.size(); ++i) {
        const auto rows = of(groups[i]);
        for (std::size_t place = 0; place < rows.size(); ++place)
            kept.insert(i, place, rows[place]);
    }
    *this = std::move(kept);
}

void RankedRows::clear() { *this = RankedRows(); }

}  // namespace tidemill::sql
