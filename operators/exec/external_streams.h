#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "operators/connect/record_layout.h"
#include "operators/connect/table_file.h"
#include "operators/sql/sql_error.h"
#include "operators/vector/schema.h"

/// What CREATE STREAM ... WITH (source = ... | sink = ...) and CREATE TABLE ... WITH (file = ...)
/// say of the world outside the application. docs/sql/input-output.md is its description for users.
namespace tidemill::sql {

/// What stands behind `source = '<scheme>:<name>'`.
enum class Connector : std::uint8_t {
    Stream,  ///< a stream of the broker: 'clicks', 'stream:clicks', or its ARN
    File,    ///< 'file:path'
    Stdout,  ///< 'stdout' (sink)
    Http,    ///< 'http://host:port/path' (sink)
};

enum class StartAt : std::uint8_t { Latest, Earliest, Time };

/// A stream that the outside feeds.
struct ExternalSource {
    std::vector<std::string> names;  ///< one an in-application stream; several share the shards
    Connector connector = Connector::Stream;
    std::string target;  ///< the stream's name, or the file's
    Schema columns;      ///< none: found in the first records
    RecordLayout layout;
    std::string rowtime_column;  ///< empty: time of arrival
    StartAt start = StartAt::Latest;
    std::int64_t start_time = 0;  ///< milliseconds
    std::string preprocess;       ///< a command; empty: none
    std::int64_t preprocess_timeout = 60'000;
};

/// A stream whose rows go outside.
struct ExternalSink {
    std::string name;
    Connector connector = Connector::Stream;
    std::string target;
    RecordFormat format = RecordFormat::Json;
    std::string key_column;       ///< empty: rows are spread evenly
    std::string delimiter = ",";  ///< CSV
    bool has_header = false;      ///< CSV, files: the names as first line
    std::int64_t batch_rows = 500, tries = 10, timeout = 10'000;  ///< HTTP
};

struct ExternalStreams {
    std::vector<ExternalSource> sources;
    std::vector<ExternalSink> sinks;
    std::vector<TableFile> tables;
};

/// Reads them out of the SQL text. Errors: those of the parser; an option that is not known (names
/// the nearest), lacks its companion or has a wrong value.
SqlResult<ExternalStreams> external_streams(std::string_view sql_text);

/// A stream's name from how people write it: as it is, or as an ARN.
std::string stream_name_of(std::string_view text);

}  // namespace tidemill::sql
