#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "operators/vector/type.h"

namespace tidemill::sql {

struct Value;

/// Values of one type for the rows of a batch: an 8-byte slot a row (see `Storage`), null bits, and
/// for texts an arena that the slots point into (offset and length). A constant column keeps one
/// value and answers with it for every row. Ownership: owns its memory; `text_at` views live until
/// the next change of the column.
class Column {
 public:
    explicit Column(Type type = {}) : type_(type) {}
    /// Every row is `value`.
    static Column constant(const Value& value);

    const Type& type() const { return type_; }
    /// Reads the same slots as another type of the same storage.
    void set_type(Type type) { type_ = type; }
    std::size_t size() const { return slots_.size(); }
    bool is_constant() const { return mask_ == 0; }

    /// No rows; keeps the memory.
    void clear();
    /// `rows` rows of unspecified value, none null, texts empty; keeps the memory.
    void reset(std::size_t rows);

    bool has_nulls() const { return has_nulls_; }
    bool is_null(std::size_t row) const {
        row &= mask_;
        return has_nulls_ && (nulls_[row >> 6] >> (row & 63) & 1) != 0;
    }
    void set_null(std::size_t row);

    std::int64_t int_at(std::size_t row) const { return slots_[row & mask_]; }
    double double_at(std::size_t row) const { return std::bit_cast<double>(slots_[row & mask_]); }
    bool bool_at(std::size_t row) const { return slots_[row & mask_] != 0; }
    std::string_view text_at(std::size_t row) const {
        const auto ref = std::bit_cast<TextRef>(slots_[row & mask_]);
        return {arena_.data() + ref.offset, ref.length};
    }
    /// The number in the slot, whatever numeric type: DECIMAL is scaled down.
    double number_at(std::size_t row) const;
    Value value_at(std::size_t row) const;

    void set_int(std::size_t row, std::int64_t value) { slots_[row] = value; }
    void set_double(std::size_t row, double value) {
        slots_[row] = std::bit_cast<std::int64_t>(value);
    }
    void set_bool(std::size_t row, bool value) { slots_[row] = value ? 1 : 0; }
    void set_text(std::size_t row, std::string_view text);
    /// Copies value or null of one row; both columns must have the same storage.
    void set_from(std::size_t row, const Column& from, std::size_t from_row);

    void append_null();
    void append_int(std::int64_t value) { grow_one(), slots_.push_back(value); }
    void append_double(double value) { append_int(std::bit_cast<std::int64_t>(value)); }
    void append_bool(bool value) { append_int(value ? 1 : 0); }
    void append_text(std::string_view text);
    void append_from(const Column& from, std::size_t row);
    /// `value` must have this column's storage or be null.
    void append_value(const Value& value);
    /// Takes back the rows from `rows` on (a row that turned out bad).
    void truncate(std::size_t rows);

    /// Raw slots for kernels; index with `row & row_mask()` when reading.
    const std::int64_t* slots() const { return slots_.data(); }
    std::int64_t* slots() { return slots_.data(); }
    std::size_t row_mask() const { return mask_; }
    std::size_t arena_bytes() const { return arena_.size(); }

 private:
    struct TextRef {
        std::uint32_t offset, length;
    };
    void grow_one() {
        if (has_nulls_ && (slots_.size() >> 6) >= nulls_.size()) nulls_.push_back(0);
    }
    TextRef keep(std::string_view text);

    Type type_;
    std::vector<std::int64_t> slots_;
    std::vector<std::uint64_t> nulls_;  // bit set: null; meaningless unless has_nulls_
    std::vector<char> arena_;
    std::size_t mask_ = ~std::size_t{0};
    bool has_nulls_ = false;
};

}  // namespace tidemill::sql
