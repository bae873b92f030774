#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "operators/connect/record_decoder.h"
#include "operators/connect/rejected_row.h"
#include "operators/vector/batch.h"
#include "operators/vector/schema.h"

namespace tidemill::sql {

/// How rows lie in the bytes of a record or a file.
struct RowLayout {
    RecordFormat format = RecordFormat::Json;
    std::string delimiter = ",";  ///< CSV: between fields
    std::vector<std::string>
        csv_columns;  ///< CSV: names of the fields in order; columns are found by name
    bool allows_more_fields = false;  ///< CSV: fields behind the last column are skipped
};

/// Turns one row's text into values of a schema's columns. A member or field that the schema does
/// not name is skipped, a column that the row does not have is NULL. Coercions are those of Kinesis
/// Data Analytics: null is NULL, boolean to number is 1 or 0, number to VARCHAR its text, text too
/// long for VARCHAR(n) is cut, an object or array becomes its JSON text in a VARCHAR; a number out
/// of range or with a fraction where an integer is wanted is refused. Source: Kinesis Data
/// Analytics developer guide, "Mapping source elements to SQL input columns".
class RowDecoder {
 public:
    virtual ~RowDecoder() = default;

    /// Appends one row to `rows` with the metadata's ROWTIME, or from the rowtime column when one
    /// was given; hidden columns are filled from the metadata. On a row that does not fit nothing
    /// is appended and `bad` says why.
    virtual bool decode(std::string_view row, const RecordMetadata& metadata, RowBatch& rows,
                        RejectedRow& bad) = 0;
};

/// `rowtime_column`: a column of `schema` that ROWTIME is taken from (TIMESTAMP, or a number of
/// milliseconds); it stays an ordinary column as well.
std::unique_ptr<RowDecoder> make_row_decoder(const RowLayout& layout, const Schema& schema,
                                             std::optional<std::size_t> rowtime_column = {});

/// Rows of `format`, one after the other, by `rows`.
std::unique_ptr<RecordDecoder> make_row_by_row_decoder(RecordFormat format,
                                                       std::unique_ptr<RowDecoder> rows);

/// Takes the first row off `rest` (the bytes of one record, or a file): a JSON document, however it
/// is spread over lines, or a CSV line with its quoted line ends. Nothing when only white space is
/// left; `rest` is then empty.
std::optional<std::string_view> take_row(RecordFormat format, std::string_view& rest);

}  // namespace tidemill::sql
