#pragma once

#include "operators/vector/column.h"

namespace tidemill::sql {

/// Below 0, 0 or above it, nulls last.
inline int compare_rows(const Column& column, std::size_t a, std::size_t b) {
    if (column.is_null(a) || column.is_null(b))
        return int{column.is_null(a)} - int{column.is_null(b)};
    switch (column.type().storage()) {
        case Storage::Text:
            return column.text_at(a).compare(column.text_at(b));
        case Storage::Double: {
            const double x = column.double_at(a), y = column.double_at(b);
            return x < y ? -1 : x > y ? 1 : 0;
        }
        default: {
            const auto x = column.int_at(a), y = column.int_at(b);
            return x < y ? -1 : x > y ? 1 : 0;
        }
    }
}

}  // namespace tidemill::sql
