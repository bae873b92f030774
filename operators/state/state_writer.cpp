#include "operators/state/state_writer.h"

#include <bit>

namespace tidemill::sql {

void StateWriter::put_count(std::uint64_t value) {
    if (value < 0x80) return bytes_.push_back(static_cast<std::byte>(value));
    std::byte buffer[kVarintMax];
    bytes_.insert(bytes_.end(), buffer, put_varint(buffer, value));
}

void StateWriter::put_int(std::int64_t value) {
    std::byte buffer[sizeof value];
    store_le(buffer, value);
    bytes_.insert(bytes_.end(), buffer, buffer + sizeof value);
}

void StateWriter::put_double(double value) { put_int(std::bit_cast<std::int64_t>(value)); }

void StateWriter::put_bytes(Bytes bytes) {
    put_count(bytes.size());
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

std::size_t StateWriter::begin_part() {
    put_int(0);
    return bytes_.size();
}

void StateWriter::end_part(std::size_t begun) {
    store_le(bytes_.data() + begun - sizeof(std::int64_t),
             static_cast<std::int64_t>(bytes_.size() - begun));
}

void StateWriter::put_column(const Column& column) {
    put_count(column.size());
    put_bool(column.has_nulls());
    const bool is_text = column.type().storage() == Storage::Text;
    for (std::size_t i = 0; i < column.size(); ++i) {
        if (column.has_nulls()) {
            put_bool(column.is_null(i));
            if (column.is_null(i)) continue;
        }
        if (is_text)
            put_text(column.text_at(i));
        else
            put_int(column.int_at(i));
    }
}

void StateWriter::put_rows(const RowBatch& rows) {
    put_column(rows.rowtime);
    put_count(rows.columns.size());
    for (const auto& column : rows.columns)
        put_column(column);
}

}  // namespace tidemill::sql
