#pragma once

#include <cstddef>
#include <optional>

#include "operators/connect/row_decoder.h"

namespace tidemill::sql {

/// What the decoders of all formats share: a row goes in whole, with its ROWTIME, or not at all.
class SchemaDecoder : public RowDecoder {
 public:
    SchemaDecoder(const Schema& schema, std::optional<std::size_t> rowtime_column)
        : schema_(schema), rowtime_(rowtime_column), is_set_(schema.size()) {
        for (std::size_t i = 0; i < schema.size(); ++i)
            if (!schema[i].is_nullable && !schema[i].is_hidden) required_.push_back(i);
    }

    bool decode(std::string_view row, const RecordMetadata& metadata, RowBatch& rows,
                RejectedRow& bad) final;

 protected:
    /// Appends the values that the row's text has and marks their columns in `is_set_`, which comes
    /// in all 0. False with `bad` when one does not fit; what was appended is taken back.
    virtual bool fill(std::string_view row, RowBatch& rows, RejectedRow& bad) = 0;

    const Schema schema_;
    const std::optional<std::size_t> rowtime_;
    std::vector<char> is_set_;  // by column

 private:
    bool has_what_it_must(const RowBatch& rows, std::size_t row, RejectedRow& bad) const;
    bool append_rowtime(RowBatch& rows, std::size_t row, std::int64_t given,
                        RejectedRow& bad) const;

    std::vector<std::size_t> required_;  // NOT NULL
};

}  // namespace tidemill::sql
