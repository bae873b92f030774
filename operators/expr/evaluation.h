#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "operators/vector/batch.h"

namespace tidemill::sql {

/// A row that an expression could not be computed for.
struct RowError {
    std::size_t row;
    std::string_view name;  ///< a literal: "DIVISION_BY_ZERO" ...
    std::string message;
};

/// One batch on its way through the expressions of one operator, and the rows that failed
/// meanwhile.
struct Evaluation {
    explicit Evaluation(const Batch& rows, std::int64_t clock) : batch(rows), now(clock) {}

    const Batch& batch;
    std::int64_t now;  ///< wall clock in milliseconds
    std::vector<RowError> errors;

    /// Marks a row as failed; only the first reason of a row counts.
    void fail(std::size_t row, std::string_view name, std::string message);
    bool has_failed(std::size_t row) const {
        return !failed_.empty() && (failed_[row >> 6] >> (row & 63) & 1) != 0;
    }
    /// The rows of `rows` that have not failed; `scratch` keeps them if some have.
    Selection without_failed(const Selection& rows, std::vector<RowIndex>& scratch) const;

 private:
    std::vector<std::uint64_t> failed_;
};

}  // namespace tidemill::sql
