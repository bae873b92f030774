#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "operators/connect/rejected_row.h"
#include "operators/vector/batch.h"
#include "operators/vector/schema.h"

namespace tidemill::sql {

enum class RecordFormat : std::uint8_t { Json, Csv };

/// What the carrier of a record knows about it; goes to the hidden columns of the schema that bear
/// these names.
struct RecordMetadata {
    std::int64_t rowtime = 0;       ///< ROWTIME of its rows
    std::int64_t arrival_time = 0;  ///< APPROXIMATE_ARRIVAL_TIME
    std::string_view partition_key;
    std::string_view sequence_number;
    std::string_view shard_id;
};

/// Turns records (bytes that one put carried) into rows of columns.
/// JSON: one or several documents, whole objects or one array of objects, members matched to column
/// names by exact case, missing members NULL, objects and arrays into VARCHAR as their source text.
/// CSV (RFC 4180 quotes): one or several lines, columns by position, an empty unquoted field NULL.
/// Coercion follows the dialect: booleans into numbers 1/0, numbers into VARCHAR, too long texts
/// cut, out-of-range or fractional numbers into integers refused. Threads: one caller.
class RecordDecoder {
 public:
    virtual ~RecordDecoder() = default;

    /// Appends the rows of `record` to `rows` (made for the decoder's schema). A row that does not
    /// fit is appended to `rejected` instead, with its text; the other rows of the record stand.
    /// Limits: none on nesting, what is not descended into is text; `rows` may grow past kBatchRows
    /// by the rows of one record
    /// (`Application::push_rows` splits it).
    virtual void decode(std::string_view record, const RecordMetadata& metadata, RowBatch& rows,
                        RejectedRows& rejected) = 0;
};

/// `schema` may hold hidden fields named APPROXIMATE_ARRIVAL_TIME, PARTITION_KEY, SEQUENCE_NUMBER,
/// SHARD_ID: they are filled from the metadata, all others from the record.
std::unique_ptr<RecordDecoder> make_record_decoder(RecordFormat format, const Schema& schema);

/// Those hidden fields, to be appended to the schema of an input stream that the broker feeds.
std::vector<Field> record_metadata_fields();

}  // namespace tidemill::sql
