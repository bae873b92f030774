#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/base/bytes.h"
#include "operators/vector/batch.h"

namespace tidemill::sql {

/// Builds the bytes of a snapshot: varints, fixed numbers, texts, columns, in the order that
/// StateReader takes them. Nothing describes itself; reader and writer of one operator stand side
/// by side.
class StateWriter {
 public:
    /// Room for a snapshot of about this size: growing by copies costs more than writing.
    void reserve(std::size_t bytes) { bytes_.reserve(bytes); }
    /// What is written between the two can be taken, or left, as a whole: StateReader::take_part.
    std::size_t begin_part();
    void end_part(std::size_t begun);

    void put_count(std::uint64_t value);
    void put_int(std::int64_t value);
    void put_double(double value);
    void put_bool(bool value) { put_count(value ? 1 : 0); }
    void put_bytes(Bytes bytes);
    void put_text(std::string_view text) { put_bytes(as_bytes(text)); }
    void put_column(const Column& column);
    void put_rows(const RowBatch& rows);

    std::vector<std::byte> take() { return std::move(bytes_); }

 private:
    std::vector<std::byte> bytes_;
};

}  // namespace tidemill::sql
