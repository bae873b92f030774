#include "operators/window/distinct_values.h"

#include <algorithm>
#include <bit>

namespace tidemill::sql {

namespace {

constexpr std::size_t kFewestSlots = 64;
constexpr std::size_t kAhead = 32;  // rows whose slots are on their way from memory

}  // namespace

DistinctValues::DistinctValues(const Type& type)
    : type_(type), is_text_(type.storage() == Storage::Text), texts_({&type_, 1}) {
    allocate(kFewestSlots);
}

void DistinctValues::allocate(std::size_t slots) {
    slots_.assign(slots, Slot{0, 0, 0});
    shift_ = 64 - static_cast<unsigned>(std::countr_zero(slots));
}

void DistinctValues::resize(std::size_t count) {
    while (sets_.size() < count)
        sets_.push_back({next_set_++, 0});
}

std::size_t DistinctValues::find(std::int64_t value, std::uint32_t set) const {
    const std::size_t mask = slots_.size() - 1;
    auto place = place_of(value, set);
    while (slots_[place].mask != 0 && (slots_[place].value != value || slots_[place].set != set))
        place = (place + 1) & mask;
    return place;
}

// -0.0 and 0.0 are one value, and so are all NaN.
std::int64_t DistinctValues::plain_value(const Column& values, std::size_t row) const {
    if (type_.storage() != Storage::Double) return values.int_at(row);
    const auto number = values.double_at(row);
    if (number == 0) return 0;
    return number == number ? values.int_at(row) : std::bit_cast<std::int64_t>(__builtin_nan(""));
}

void DistinctValues::add(const Column& values, const Selection& rows,
                         const std::vector<std::uint32_t>& groups,
                         const std::vector<std::uint32_t>& wanted,
                         std::vector<std::uint32_t>& fresh) {
    // Room for all of them first: places stay where they are while rows are added.
    while ((used_ + rows.count) * 2 > slots_.size())
        sweep();
    if (is_text_) {
        text_rows_.clear();
        rows.for_each([&](std::size_t row) {
            if (wanted[row] != 0 && !values.is_null(row))
                text_rows_.push_back(static_cast<RowIndex>(row));
        });
        const Column* column = &values;
        texts_.find_or_add({&column, 1}, Selection::of(text_rows_), text_numbers_);
    }
    const auto value_of = [&](std::size_t row) {
        return is_text_ ? static_cast<std::int64_t>(text_numbers_[row]) : plain_value(values, row);
    };
    const bool has_nulls = values.has_nulls();
    const auto counts = [&](std::size_t row) {
        return wanted[row] != 0 && !(has_nulls && values.is_null(row));
    };
    for (std::size_t from = 0; from < rows.count; from += kAhead) {
        const auto to = std::min(rows.count, from + kAhead);
        for (std::size_t i = from; i < to; ++i)
            if (const auto row = rows[i]; counts(row))
                __builtin_prefetch(&slots_[place_of(value_of(row), sets_[groups[row]].number)]);
        for (std::size_t i = from; i < to; ++i) {
            const auto row = rows[i];
            fresh[row] = 0;
            if (!counts(row)) continue;
            const auto value = value_of(row);
            auto& set = sets_[groups[row]];
            auto& slot = slots_[find(value, set.number)];
            if (slot.mask == 0) {
                slot.value = value;
                slot.set = set.number;
                ++used_;
                ++set.values;
            }
            fresh[row] = wanted[row] & ~slot.mask;
            slot.mask |= wanted[row];
        }
    }
}

bool DistinctValues::would_grow(const Column& values, std::size_t row, std::uint32_t group) {
    if (values.is_null(row)) return false;
    if (group >= sets_.size()) return true;
    std::int64_t value = 0;
    if (is_text_) {
        const Column* column = &values;
        text_rows_.assign(1, static_cast<RowIndex>(row));
        texts_.find({&column, 1}, Selection::of(text_rows_), text_numbers_);
        if (text_numbers_[row] == GroupTable::kNoGroup) return true;
        value = text_numbers_[row];
    } else {
        value = plain_value(values, row);
    }
    return slots_[find(value, sets_[group].number)].mask == 0;
}

void DistinctValues::reset(std::size_t group) {
    forgotten_ += sets_[group].values;
    sets_[group] = {next_set_++, 0};
}

void DistinctValues::keep(std::span<const std::uint32_t> groups) {
    std::vector<Set> kept;
    kept.reserve(groups.size());
    std::size_t values = 0;
    for (const auto group : groups) {
        kept.push_back(sets_[group]);
        values += sets_[group].values;
    }
    sets_ = std::move(kept);
    forgotten_ = used_ - values;
    sweep();
}

void DistinctValues::clear() {
    texts_.clear();
    sets_.clear();
    next_set_ = 0;
    used_ = forgotten_ = 0;
    allocate(kFewestSlots);
}

std::vector<std::uint32_t> DistinctValues::owners() const {
    std::vector<std::uint32_t> owners(next_set_, GroupTable::kNoGroup);
    for (std::size_t group = 0; group < sets_.size(); ++group)
        owners[sets_[group].number] = static_cast<std::uint32_t>(group);
    return owners;
}

void DistinctValues::insert_new(const Slot& slot) {
    slots_[find(slot.value, slot.set)] = slot;
    ++used_;
}

// Writes all anew without what is forgotten, with room for as many again.
void DistinctValues::sweep() {
    const auto groups = owners();
    const auto live = size();
    std::vector<Slot> before;
    std::swap(before, slots_);
    used_ = forgotten_ = 0;
    allocate(std::bit_ceil(std::max(kFewestSlots, (live + kBatchRows) * 4)));
    std::vector<std::uint32_t> numbers;  // of texts: first whether one is in use, then its new one
    if (is_text_) {
        numbers.assign(texts_.size(), 0);
        for (const auto& slot : before)
            if (slot.mask != 0 && groups[slot.set] != GroupTable::kNoGroup)
                numbers[static_cast<std::size_t>(slot.value)] = 1;
        std::vector<std::uint32_t> used;
        for (std::uint32_t i = 0; i < numbers.size(); ++i)
            if (numbers[i] != 0) {
                numbers[i] = static_cast<std::uint32_t>(used.size());
                used.push_back(i);
            }
        texts_.keep(used);
    }
    for (auto slot : before) {
        if (slot.mask == 0 || groups[slot.set] == GroupTable::kNoGroup) continue;
        slot.set = groups[slot.set];
        if (is_text_) slot.value = numbers[static_cast<std::size_t>(slot.value)];
        insert_new(slot);
    }
    next_set_ = 0;
    for (auto& set : sets_)
        set.number = next_set_++;
}

void DistinctValues::snapshot(StateWriter& to) const {
    const auto groups = owners();
    if (is_text_) texts_.snapshot(to);
    to.put_count(size());
    for (const auto& slot : slots_) {
        if (slot.mask == 0 || groups[slot.set] == GroupTable::kNoGroup) continue;
        to.put_int(slot.value);
        to.put_int(static_cast<std::int64_t>(std::uint64_t{groups[slot.set]} << 32 | slot.mask));
    }
}

void DistinctValues::restore(StateReader& from, std::size_t count, std::size_t members) {
    clear();
    resize(count);
    if (is_text_) texts_.restore(from);
    const auto values = from.take_size(2 * sizeof(std::int64_t));
    allocate(std::bit_ceil(std::max(kFewestSlots, (values + kBatchRows) * 4)));
    for (std::size_t i = 0; i < values && !from.has_failed(); ++i) {
        Slot slot{};
        slot.value = from.take_int();
        const auto rest = static_cast<std::uint64_t>(from.take_int());
        slot.set = static_cast<std::uint32_t>(rest >> 32);
        slot.mask = static_cast<std::uint32_t>(rest);
        const bool is_text =
            !is_text_ || (slot.value >= 0 && static_cast<std::size_t>(slot.value) < texts_.size());
        const bool is_mask = slot.mask != 0 && (members >= 32 || slot.mask >> members == 0);
        if (slot.set >= count || !is_text || !is_mask ||
            slots_[find(slot.value, slot.set)].mask != 0)
            return from.fail();
        ++sets_[slot.set].values;
        insert_new(slot);
    }
}

}  // namespace tidemill::sql
