#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "operators/connect/record_decoder.h"

namespace tidemill::sql {

/// How rows lie in records, as an input's schema says it.
struct RecordLayout {
    RecordFormat format = RecordFormat::Json;
    /// JSON: where the rows are; empty or `$`: the document is one. `$.items[0:]`: each element of
    /// an array is one.
    std::string row_path{};
    /// JSON: by column, from the row on (or from the document on, when it begins with the row
    /// path). An empty text, or none: the member that bears the column's name.
    std::vector<std::string> column_paths{};
    std::string column_delimiter = ",";  ///< CSV
    std::string row_delimiter = "\n";    ///< CSV
    bool has_header = false;             ///< CSV: the first row of each record names the fields

    bool operator==(const RecordLayout&) const = default;
};

/// What can be said of a layout without columns, and of the paths for these. Errors:
/// InvalidArgument (a path; two arrays to be flattened; an empty delimiter).
Status check_layout(const RecordLayout& layout, const Schema& schema);

/// JSON: a path that leads nowhere is NULL; `$.a[0:]` is the array's text, `$.a[0:].b` makes a row
/// of each element and repeats the other columns; an array without elements makes one row of
/// NULLs; only one array may be flattened. A path through an array without `[0:]` finds the first
/// element that has it. CSV: columns by position, further fields are skipped.
/// Everything else is as for the decoders of record_decoder.h. `rowtime_column`: the visible column
/// that ROWTIME is taken from instead of the metadata. Errors: those of `check_layout`.
Result<std::unique_ptr<RecordDecoder>> make_record_decoder(
    const RecordLayout& layout, const Schema& schema,
    std::optional<std::size_t> rowtime_column = {});

/// Takes the first row off `rest`, the text of a record or a file. See take_row.
std::optional<std::string_view> take_row(const RecordLayout& layout, std::string_view& rest);

}  // namespace tidemill::sql
