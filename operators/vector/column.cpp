#include "operators/vector/column.h"

#include "engine/base/check.h"
#include "operators/vector/value.h"

namespace tidemill::sql {

Column Column::constant(const Value& value) {
    Column column(value.type);
    column.append_value(value);
    column.mask_ = 0;
    return column;
}

void Column::clear() {
    slots_.clear();
    nulls_.clear();
    arena_.clear();
    has_nulls_ = false;
    mask_ = ~std::size_t{0};
}

void Column::reset(std::size_t rows) {
    arena_.clear();
    has_nulls_ = false;
    mask_ = ~std::size_t{0};
    // Text slots must never point outside the arena, so they start as empty texts.
    if (type_.storage() == Storage::Text)
        slots_.assign(rows, 0);
    else
        slots_.resize(rows);
}

void Column::set_null(std::size_t row) {
    if (!has_nulls_) {
        nulls_.assign((slots_.size() + 63) / 64, 0);
        has_nulls_ = true;
    }
    nulls_[row >> 6] |= std::uint64_t{1} << (row & 63);
    slots_[row] = 0;
}

double Column::number_at(std::size_t row) const {
    if (type_.storage() == Storage::Double) return double_at(row);
    const auto value = static_cast<double>(int_at(row));
    return type_.scale == 0 ? value : value / static_cast<double>(power_of_ten(type_.scale));
}

Value Column::value_at(std::size_t row) const {
    Value value;
    value.type = type_;
    value.is_null = is_null(row);
    if (value.is_null) return value;
    if (type_.storage() == Storage::Text)
        value.text = text_at(row);
    else
        value.bits = int_at(row);
    return value;
}

Column::TextRef Column::keep(std::string_view text) {
    TM_CHECK(arena_.size() + text.size() <= 0xffffffff, "a column's texts exceed 4 GiB");
    const TextRef ref{static_cast<std::uint32_t>(arena_.size()),
                      static_cast<std::uint32_t>(text.size())};
    arena_.insert(arena_.end(), text.begin(), text.end());
    return ref;
}

void Column::set_text(std::size_t row, std::string_view text) {
    slots_[row] = std::bit_cast<std::int64_t>(keep(text));
}

void Column::set_from(std::size_t row, const Column& from, std::size_t from_row) {
    if (from.is_null(from_row))
        set_null(row);
    else if (type_.storage() == Storage::Text)
        set_text(row, from.text_at(from_row));
    else
        slots_[row] = from.int_at(from_row);
}

void Column::append_null() {
    append_int(0);
    set_null(slots_.size() - 1);
}

void Column::append_text(std::string_view text) {
    append_int(std::bit_cast<std::int64_t>(keep(text)));
}

void Column::append_from(const Column& from, std::size_t row) {
    if (from.is_null(row))
        append_null();
    else if (type_.storage() == Storage::Text)
        append_text(from.text_at(row));
    else
        append_int(from.int_at(row));
}

void Column::append_value(const Value& value) {
    if (value.is_null)
        append_null();
    else if (type_.storage() == Storage::Text)
        append_text(value.text);
    else
        append_int(value.bits);
}

void Column::truncate(std::size_t rows) {
    if (rows >= slots_.size()) return;
    slots_.resize(rows);
    if (!has_nulls_) return;
    nulls_.resize((rows + 63) / 64);
    if ((rows & 63) != 0) nulls_.back() &= (std::uint64_t{1} << (rows & 63)) - 1;
}

}  // namespace tidemill::sql
