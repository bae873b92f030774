#pragma once

#include <memory>
#include <optional>
#include <string>

#include "engine/base/result.h"
#include "operators/connect/record_layout.h"
#include "operators/connect/rejected_row.h"
#include "operators/vector/batch.h"
#include "operators/vector/schema.h"

namespace tidemill::sql {

/// The file that a reference table's rows are in: CSV or JSON.
struct TableFile {
    std::string name;  ///< of the table
    std::string path;
    Schema columns{};                      ///< none: found in the file
    std::optional<RecordLayout> layout{};  ///< none: found in the file
    /// CSV whose columns are declared: nothing is a first line that has exactly their names.
    std::optional<bool> has_header{};

    bool operator==(const TableFile&) const = default;
};

struct TableRows {
    Schema schema;
    std::shared_ptr<const RowBatch> rows;
    RejectedRows rejected;  ///< rows that do not fit
};

/// As the retired service: bytes of one table's file.
inline constexpr std::uint64_t kTableBytesMax = 1ull << 30;

/// Reads the whole file. Blocks. Errors: NotFound, IoFailed, TooLarge, InvalidArgument (no
/// columns).
Result<TableRows> read_table(const TableFile& file);

/// Says something else once the file was written or another one took its place; empty while there
/// is none.
std::string file_stamp(const std::string& path);

}  // namespace tidemill::sql
