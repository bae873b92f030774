#include "operators/state/group_table.h"

#include <algorithm>

#include "operators/state/key_hash.h"

namespace tidemill::sql {

GroupTable::GroupTable(std::span<const Type> key_types) {
    for (const auto& type : key_types)
        keys_.emplace_back(type);
    slots_.assign(64, kEmpty);
}

void GroupTable::hash_rows(std::span<const Column* const> columns, const Selection& rows,
                           std::vector<std::uint32_t>& groups) {
    const auto slot_count = rows.count == 0 ? 0 : rows[rows.count - 1] + 1;
    groups.resize(std::max(groups.size(), slot_count));
    row_hashes_.assign(slot_count, 0);
    for (const auto* column : columns)
        rows.for_each([&](std::size_t row) {
            row_hashes_[row] = mix_hash(row_hashes_[row] * 31 + hash_value(*column, row));
        });
}

void GroupTable::find_or_add(std::span<const Column* const> columns, const Selection& rows,
                             std::vector<std::uint32_t>& groups) {
    hash_rows(columns, rows, groups);
    rows.for_each(
        [&](std::size_t row) { groups[row] = find_or_add_row(columns, row, row_hashes_[row]); });
}

void GroupTable::find(std::span<const Column* const> columns, const Selection& rows,
                      std::vector<std::uint32_t>& groups) {
    hash_rows(columns, rows, groups);
    const std::size_t mask = slots_.size() - 1;
    rows.for_each([&](std::size_t row) {
        const auto hash = row_hashes_[row];
        auto group = kNoGroup;
        for (std::size_t place = hash & mask; slots_[place] != kEmpty; place = (place + 1) & mask) {
            const auto candidate = slots_[place];
            if (hashes_[candidate] != hash || !equals(columns, row, candidate)) continue;
            group = candidate;
            break;
        }
        groups[row] = group;
    });
}

std::uint32_t GroupTable::find_or_add_row(std::span<const Column* const> columns, std::size_t row,
                                          std::uint64_t hash) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t place = hash & mask;
    for (; slots_[place] != kEmpty; place = (place + 1) & mask) {
        const auto group = slots_[place];
        if (hashes_[group] == hash && equals(columns, row, group)) return group;
    }
    const auto group = static_cast<std::uint32_t>(hashes_.size());
    slots_[place] = group;
    hashes_.push_back(hash);
    for (std::size_t i = 0; i < keys_.size(); ++i)
        keys_[i].append_from(*columns[i], row);
    if (hashes_.size() * 2 > slots_.size()) grow(slots_.size() * 2);
    return group;
}

bool GroupTable::equals(std::span<const Column* const> columns, std::size_t row,
                        std::uint32_t group) const {
    for (std::size_t i = 0; i < keys_.size(); ++i) {
        const auto &a = *columns[i], &b = keys_[i];
        if (a.is_null(row) || b.is_null(group)) {
            if (a.is_null(row) != b.is_null(group)) return false;
        } else if (a.type().storage() == Storage::Text) {
            if (a.text_at(row) != b.text_at(group)) return false;
        } else if (a.int_at(row) != b.int_at(group)) {
            const bool are_zeros = a.type().storage() == Storage::Double && a.double_at(row) == 0 &&
                                   b.double_at(group) == 0;
            if (!are_zeros) return false;
        }
    }
    return true;
}

void GroupTable::grow(std::size_t slots) {
    slots_.assign(slots, kEmpty);
    for (std::uint32_t group = 0; group < hashes_.size(); ++group) {
        std::size_t place = hashes_[group] & (slots - 1);
        while (slots_[place] != kEmpty)
            place = (place + 1) & (slots - 1);
        slots_[place] = group;
    }
}

bool GroupTable::is_crowded() const {
    constexpr std::size_t kMostBytes = 0xe0000000, kMostGroups = 0xf0000000;
    return size() > kMostGroups || std::ranges::any_of(keys_, [](const Column& key) {
               return key.arena_bytes() > kMostBytes;
           });
}

void GroupTable::clear() {
    for (auto& key : keys_)
        key.clear();
    hashes_.clear();
    slots_.assign(64, kEmpty);
}

void GroupTable::keep(std::span<const std::uint32_t> groups) {
    for (auto& key : keys_) {
        Column kept(key.type());
        for (const auto group : groups)
            kept.append_from(key, group);
        key = std::move(kept);
    }
    for (std::size_t i = 0; i < groups.size(); ++i)
        hashes_[i] = hashes_[groups[i]];
    hashes_.resize(groups.size());
    std::size_t slots = 64;
    while (slots < groups.size() * 2 + 2)
        slots *= 2;
    grow(slots);
}

void GroupTable::snapshot(StateWriter& to) const {
    to.put_count(size());
    for (const auto& key : keys_)
        to.put_column(key);
}

void GroupTable::restore(StateReader& from) {
    clear();
    const auto groups = from.take_size(keys_.empty() ? 1 : keys_.size());
    std::vector<Column> keys;
    for (const auto& key : keys_) {
        keys.emplace_back(key.type());
        from.take_column(keys.back());
        if (keys.back().size() != groups) from.fail();
    }
    if (from.has_failed()) return;
    std::vector<const Column*> columns;
    for (const auto& key : keys)
        columns.push_back(&key);
    // Group by group: snapshots may hold more groups than a batch has rows.
    for (std::size_t row = 0; row < groups; ++row) {
        std::uint64_t hash = 0;
        for (const auto* column : columns)
            hash = mix_hash(hash * 31 + hash_value(*column, row));
        if (find_or_add_row(columns, row, hash) != row) return from.fail();
    }
}

}  // namespace tidemill::sql
