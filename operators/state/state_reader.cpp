#include "operators/state/state_reader.h"

#include <bit>

namespace tidemill::sql {

std::uint64_t StateReader::take_count() {
    std::uint64_t value = 0;
    const auto* next = failed_ ? nullptr : get_varint(at_, end_, value);
    if (next == nullptr) {
        failed_ = true;
        return 0;
    }
    at_ = next;
    return value;
}

std::size_t StateReader::take_size(std::size_t each) {
    const auto count = take_count();
    if (count > static_cast<std::uint64_t>(end_ - at_) / each) {
        failed_ = true;
        return 0;
    }
    return static_cast<std::size_t>(count);
}

std::int64_t StateReader::take_int() {
    if (failed_ || end_ - at_ < 8) {
        failed_ = true;
        return 0;
    }
    const auto value = load_le<std::int64_t>(at_);
    at_ += 8;
    return value;
}

double StateReader::take_double() { return std::bit_cast<double>(take_int()); }

Bytes StateReader::take_part() {
    const auto size = take_int();
    if (size < 0 || size > end_ - at_) {
        failed_ = true;
        return {};
    }
    const Bytes part(at_, static_cast<std::size_t>(size));
    at_ += size;
    return part;
}

Bytes StateReader::take_bytes() {
    const auto size = take_size();
    if (failed_) return {};
    const Bytes bytes(at_, size);
    at_ += size;
    return bytes;
}

void StateReader::take_column(Column& column) {
    column.clear();
    const auto rows = take_size();
    const bool has_nulls = take_bool();
    const bool is_text = column.type().storage() == Storage::Text;
    for (std::size_t i = 0; i < rows && !failed_; ++i) {
        if (has_nulls && take_bool())
            column.append_null();
        else if (is_text)
            column.append_text(take_text());
        else
            column.append_int(take_int());
    }
}

void StateReader::take_rows(RowBatch& rows) {
    take_column(rows.rowtime);
    if (take_count() != rows.columns.size()) return fail();
    for (auto& column : rows.columns) {
        take_column(column);
        if (column.size() != rows.rowtime.size()) fail();
    }
    if (failed_) rows.clear();
}

Status StateReader::status() const {
    if (failed_)
        return tidemill::fail(Errc::Corrupt, "The snapshot of the SQL application is damaged.");
    return {};
}

}  // namespace tidemill::sql
