#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/time.h"
#include "engine/query/application_definition.h"
#include "operators/connect/record_decoder.h"
#include "operators/connect/record_layout.h"
#include "operators/connect/rejected_row.h"
#include "operators/vector/batch.h"

namespace tidemill::query {

/// Those of the hidden fields (APPROXIMATE_ARRIVAL_TIME, PARTITION_KEY, SEQUENCE_NUMBER, SHARD_ID)
/// that the SQL text speaks of: the others need not be filled.
std::vector<sql::Field> hidden_fields_in(std::string_view sql_text);

/// Finds the columns in sample records. Errors: InvalidArgument when nothing can be made of them.
Result<sql::Schema> find_columns(const sql::RecordLayout& layout,
                                 const std::vector<std::string>& records);

/// Turns records of one input into rows, ROWTIME ascending: from the rowtime column or the time of
/// arrival, and never below that of the row before (shards come in any order, clocks jump); the
/// rowtime column itself keeps its own value.
class InputDecoder {
 public:
    /// `columns`: those of the records; `hidden` stand behind them.
    /// Errors: NotFound when the rowtime column is not there, InvalidArgument when it is no time.
    static Result<std::unique_ptr<InputDecoder>> make(const InputDefinition& input,
                                                      const sql::Schema& columns,
                                                      std::vector<sql::Field> hidden);

    const sql::Schema& schema() const { return schema_; }
    bool wants_sequence_number() const { return wants_sequence_number_; }

    /// Appends the rows of one record to `rows` (made for `schema`), and those that do not fit to
    /// `rejected`. Raises `bound` to the ROWTIME of the last row.
    void decode(std::string_view record, sql::RecordMetadata metadata, std::int64_t& bound,
                sql::RowBatch& rows, sql::RejectedRows& rejected);

 private:
    InputDecoder() = default;
    sql::Schema schema_;
    bool wants_sequence_number_ = false;
    std::unique_ptr<sql::RecordDecoder> decoder_;
};

}  // namespace tidemill::query
