#pragma once

#include <cstdint>
#include <string>

#include "engine/base/result.h"
#include "operators/connect/rejected_row.h"
#include "operators/vector/batch.h"
#include "operators/vector/schema.h"

namespace tidemill::sql {

enum class SourceState : std::uint8_t {
    Ready,     ///< rows were delivered and more may be there
    Idle,      ///< nothing now; ask again later
    Finished,  ///< no row will ever come again
};

/// Where rows come from: a file, memory, a stream of the broker. The seam between the operators and
/// the world. Threads: one caller. No call blocks for longer than it takes to read what is at hand.
class Source {
 public:
    virtual ~Source() = default;

    /// The columns that `poll` delivers; does not change.
    virtual const Schema& schema() const = 0;

    /// Replaces the rows of `batch` (made for `schema()`) by the next rows, at most kBatchRows,
    /// ROWTIME ascending, and appends to `rejected` those that do not fit. Errors: the source
    /// cannot be read any more; a bad row is never an error.
    virtual Result<SourceState> poll(RowBatch& batch, RejectedRows& rejected) = 0;

    /// No later row has a ROWTIME below this; INT64_MIN while nothing is known.
    virtual std::int64_t rowtime_bound() const = 0;

    /// Opaque place after the last delivered row, for a checkpoint.
    virtual std::string position() const = 0;
    /// Continues after the row that `position` named.
    virtual Status seek(const std::string& position) = 0;
};

}  // namespace tidemill::sql
