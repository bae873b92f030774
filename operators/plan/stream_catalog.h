#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "operators/plan/watermark.h"
#include "operators/vector/schema.h"

namespace tidemill::sql {

struct CatalogStream {
    std::string name;
    Schema schema;
    bool is_input = false;
    std::optional<Watermark> watermark{};
    bool is_late = false;  ///< holds the rows that came too late for another
};
/// What the stream of late rows is called, and what it has beside the columns of its stream.
inline constexpr std::string_view kLateSuffix = "_LATE", kLateBy = "LATE_BY";

/// The stream of rows that failed anywhere; it belongs to every application and stands in no list.
inline constexpr std::string_view kErrorStream = "error_stream";
inline constexpr std::size_t kErrorStreamIndex = SIZE_MAX;
/// ERROR_TIME, ERROR_LEVEL, ERROR_NAME, MESSAGE, DATA_ROWTIME, DATA_ROW (hexadecimal), PUMP_NAME.
/// Source: Kinesis Data Analytics developer guide, "Error Handling".
Schema error_stream_schema();

/// A reference table: rows that streams are joined with.
struct CatalogTable {
    std::string name;
    Schema schema;
};

/// The streams and tables that SQL text may name, in order.
struct StreamCatalog {
    std::vector<CatalogStream> streams;
    std::vector<CatalogTable> tables;

    std::optional<std::size_t> find(std::string_view name) const {
        for (std::size_t i = 0; i < streams.size(); ++i)
            if (streams[i].name == name) return i;
        return std::nullopt;
    }
    std::optional<std::size_t> find_table(std::string_view name) const {
        for (std::size_t i = 0; i < tables.size(); ++i)
            if (tables[i].name == name) return i;
        return std::nullopt;
    }
    /// The streams as they are written in SQL, for suggestions; and then the tables.
    std::vector<std::string> printed_names(bool with_tables = false) const;
};

}  // namespace tidemill::sql
