#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "operators/vector/column.h"

namespace tidemill::sql {

inline std::uint64_t mix_hash(std::uint64_t x) {
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93;
    return x ^ (x >> 32);
}

/// Equal for equal values of one type: all nulls are one value, and so are -0.0 and 0.0.
inline std::uint64_t hash_value(const Column& column, std::size_t row) {
    constexpr std::uint64_t kNullHash = 0x9e3779b97f4a7c15;
    if (column.is_null(row)) return kNullHash;
    if (column.type().storage() == Storage::Text)
        return std::hash<std::string_view>()(column.text_at(row));
    if (column.type().storage() == Storage::Double && column.double_at(row) == 0)
        return mix_hash(0);
    return mix_hash(static_cast<std::uint64_t>(column.int_at(row)));
}

}  // namespace tidemill::sql
