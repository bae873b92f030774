#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tidemill::sql {

/// A row that does not fit, on its way to the error stream.
struct RejectedRow {
    std::string name;     ///< short kind: "TYPE_MISMATCH", "DIVISION_BY_ZERO", "OUT_OF_ORDER" ...
    std::string message;  ///< a sentence that names the column and the value
    std::optional<std::int64_t> data_rowtime;  ///< milliseconds, if the row had one
    std::string
        data;  ///< the record as it came, or the row as CSV; the error stream shows it in hex
    std::string pump;  ///< empty for input rows
};

using RejectedRows = std::vector<RejectedRow>;

}  // namespace tidemill::sql
