#pragma once

#include "operators/connect/json_path.h"
#include "operators/connect/record_layout.h"

namespace tidemill::sql {

/// Where the visible columns of a schema are, all from the document on.
struct ColumnPaths {
    JsonPath row;
    std::vector<JsonPath> columns;
};

/// Errors: InvalidArgument when more than one array would have to be flattened.
Status check_paths(const ColumnPaths& paths);

/// Reads each document once, whatever the paths. `paths` must have passed the check.
std::unique_ptr<RecordDecoder> make_json_path_decoder(const ColumnPaths& paths,
                                                      const Schema& schema,
                                                      std::optional<std::size_t> rowtime_column);

}  // namespace tidemill::sql
