#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "operators/vector/type.h"

namespace tidemill::sql {

struct Field {
    std::string name;  ///< exact case; an unquoted SQL name means its upper-case form
    Type type;
    bool is_nullable = true;
    bool is_hidden = false;  ///< not part of `*` (APPROXIMATE_ARRIVAL_TIME, PARTITION_KEY, ...)

    bool operator==(const Field&) const = default;
};

/// The columns of a stream in order. ROWTIME is none of them: every stream has it.
struct Schema {
    std::vector<Field> fields;

    std::size_t size() const { return fields.size(); }
    const Field& operator[](std::size_t i) const { return fields[i]; }
    std::optional<std::size_t> find(std::string_view name) const {
        for (std::size_t i = 0; i < fields.size(); ++i)
            if (fields[i].name == name) return i;
        return std::nullopt;
    }
    bool operator==(const Schema&) const = default;
};

inline constexpr std::string_view kRowtime = "ROWTIME";
inline constexpr std::string_view kArrivalTime = "APPROXIMATE_ARRIVAL_TIME";

}  // namespace tidemill::sql
