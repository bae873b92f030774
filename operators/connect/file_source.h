#pragma once

#include <memory>
#include <optional>
#include <string>

#include "operators/connect/record_layout.h"
#include "operators/connect/schema_discovery.h"
#include "operators/connect/source.h"

namespace tidemill::sql {

struct FileSourceOptions {
    std::string path;
    std::string
        rowtime_column{};  ///< empty: ROWTIME is the row's number in milliseconds since 1970
    /// How the file is written, when that is declared and not to be found out; with the columns.
    std::optional<RecordLayout> layout{};
    Schema columns{};  ///< none: found in the file
};

/// A CSV file with a header line, or JSON lines; which of the two is told by the content, the
/// columns by all of it. The file is mapped, not copied. Errors: NotFound, IoFailed,
/// InvalidArgument (no columns; no such rowtime column: names the nearest).
Result<std::unique_ptr<Source>> open_file_source(const FileSourceOptions& options);

}  // namespace tidemill::sql
