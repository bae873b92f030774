#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/result.h"
#include "operators/connect/record_decoder.h"
#include "operators/vector/schema.h"

namespace tidemill::query {

enum class StartingPosition : std::uint8_t { Now, TrimHorizon };

/// An in-application input stream and the stream of the broker that feeds it.
struct InputDefinition {
    std::string name;    ///< "SOURCE_SQL_STREAM_001", exact case
    std::string stream;  ///< of the broker
    sql::RecordFormat format = sql::RecordFormat::Json;
    /// Column that ROWTIME is taken from (it stays an ordinary column); empty: the time of arrival.
    std::string rowtime_column;
    StartingPosition start = StartingPosition::Now;  ///< until there is a checkpoint
    /// Empty: found in the stream's first records (JSON members; CSV fields are COL1, COL2, ...).
    sql::Schema columns;

    bool operator==(const InputDefinition&) const = default;
};

/// An in-application stream whose rows are written to a stream of the broker as JSON objects.
struct OutputDefinition {
    std::string name;
    std::string stream;
    /// Column whose text is the partition key; empty: the row's number, which spreads rows evenly.
    std::string key_column;

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

/// What can be said without looking at streams or SQL. Errors: InvalidArgument, TooLarge.
Status check_definition(const ApplicationDefinition& definition);
Status check_inputs(const std::vector<InputDefinition>& inputs);
Status check_sql_text(const std::string& text);

/// As kept on disk and sent over the wire: the table SqlApplication of proto/sql.fbs.
/// Errors: Corrupt.
std::vector<std::byte> encode_definition(const ApplicationDefinition& definition);
Result<ApplicationDefinition> decode_definition(Bytes bytes);

}  // namespace tidemill::query
