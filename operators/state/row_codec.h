#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "operators/vector/batch.h"

namespace tidemill::sql {

/// Rows as bytes and back, for rows that operators keep.
class RowCodec {
 public:
    explicit RowCodec(std::vector<Type> types) : types_(std::move(types)) {}

    /// Replaces `to`. `columns` have the types, in order.
    void encode(std::span<const Column* const> columns, std::size_t row, std::string& to) const;
    /// Appends one value to each column; `bytes` were made by `encode`, or are valid.
    void decode(std::string_view bytes, std::span<Column* const> columns) const;
    /// Whether `decode` may be given these bytes.
    bool is_valid(std::string_view bytes) const;

 private:
    std::size_t null_bytes() const { return (types_.size() + 7) / 8; }
    std::vector<Type> types_;
};

/// What ORDER BY compares, as numbers or bytes. NULL comes after every value, before with DESC.
class SortKey {
 public:
    struct Part {
        std::uint64_t prefix = 0;
        std::uint32_t rest = 0;
        auto operator<=>(const Part&) const = default;
    };

    SortKey(std::vector<Type> types, std::vector<bool> is_descending)
        : types_(std::move(types)), is_descending_(std::move(is_descending)) {}

    /// Whether `part` says all: one key that is no text. Otherwise `bytes` do, and the prefix of
    /// its Part is how they begin.
    bool is_exact() const { return types_.size() == 1 && types_[0].storage() != Storage::Text; }
    /// Of a key that is exact: as numbers they compare in the order of the keys.
    Part part(const Column& column, std::size_t row) const;
    /// Replaces `to`; as bytes they compare in the order of the keys.
    void encode(std::span<const Column* const> columns, std::size_t row, std::string& to) const;
    static std::uint64_t prefix_of(std::string_view bytes);

 private:
    std::vector<Type> types_;
    std::vector<bool> is_descending_;
};

}  // namespace tidemill::sql
