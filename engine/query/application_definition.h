#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/result.h"
#include "operators/connect/record_layout.h"
#include "operators/exec/external_streams.h"
#include "operators/vector/schema.h"

namespace tidemill::query {

enum class StartingPosition : std::uint8_t { Now, TrimHorizon, Time };

/// An in-application input stream and the stream of the broker that feeds it.
struct InputDefinition {
    std::string name;    ///< "SOURCE_SQL_STREAM_001", exact case
    std::string stream;  ///< of the broker
    sql::RecordLayout layout{};
    /// Column that ROWTIME is taken from (it stays an ordinary column); empty: the time of arrival.
    std::string rowtime_column{};
    StartingPosition start = StartingPosition::Now;  ///< until there is a checkpoint
    std::int64_t start_time = 0;                     ///< milliseconds, of StartingPosition::Time
    /// Empty: found in the stream's first records (JSON members; CSV fields are COL1, COL2, ...).
    sql::Schema columns{};
    /// Of `parts` inputs that share the stream's shards this is number `part`.
    std::uint32_t part = 0, parts = 1;
    std::string preprocess{};                  ///< command that records go through; empty: none
    std::int64_t preprocess_timeout = 60'000;  ///< milliseconds

    bool operator==(const InputDefinition&) const = default;
};

/// An in-application stream whose rows go outside, as JSON objects or CSV lines.
struct OutputDefinition {
    std::string name;
    std::string stream;  ///< of the broker, or what else the connector names
    /// Column whose text is the partition key; empty: the row's number, which spreads rows evenly.
    std::string key_column{};
    sql::Connector connector = sql::Connector::Stream;
    sql::RecordFormat format = sql::RecordFormat::Json;
    std::string delimiter = ",";                                  ///< CSV
    bool has_header = false;                                      ///< CSV files
    std::int64_t batch_rows = 500, tries = 10, timeout = 10'000;  ///< HTTP

    bool operator==(const OutputDefinition&) const = default;
};

struct ApplicationDefinition {
    std::string name;
    std::string sql_text;
    std::vector<InputDefinition> inputs;
    std::vector<OutputDefinition> outputs;
    std::uint64_t seed = 42;   ///< of the forests
    bool is_kda_score = true;  ///< scores as the retired service gave them
    bool is_started = false;   ///< whether it should run; survives a restart of the broker

    bool operator==(const ApplicationDefinition&) const = default;
};

/// Adds the inputs and outputs that the SQL text declares by itself, WITH (source = ...) and
/// WITH (sink = ...). Errors: InvalidArgument (with the place), and names that are given twice.
Result<ApplicationDefinition> with_declared_streams(ApplicationDefinition definition);
Status add_declared_inputs(const std::string& sql_text, std::vector<InputDefinition>& inputs);

/// `function:NAME`: a command that the broker's settings know by that name.
constexpr std::string_view kFunctionPrefix = "function:";
struct QueryLimits;
/// Whether the broker's settings allow it. Errors: AccessDenied, InvalidArgument.
Status check_preprocessing(const InputDefinition& input, const QueryLimits& limits);

/// What can be said without looking at streams or SQL. Errors: InvalidArgument, TooLarge.
Status check_definition(const ApplicationDefinition& definition);
Status check_inputs(const std::vector<InputDefinition>& inputs);
Status check_sql_text(const std::string& text);

/// As kept on disk and sent over the wire: the table SqlApplication of proto/sql.fbs.
/// Errors: Corrupt.
std::vector<std::byte> encode_definition(const ApplicationDefinition& definition);
Result<ApplicationDefinition> decode_definition(Bytes bytes);

}  // namespace tidemill::query
