#pragma once

#include <functional>
#include <vector>

#include "operators/exec/operator.h"

namespace tidemill::sql {

/// Merges several ascending inputs into one by ROWTIME: a row leaves when no input can still bring
/// an earlier one, so rows wait for the slowest input's bound. Rows of equal time leave in the
/// order of the inputs.
class RowMerge {
 public:
    using Emit = std::function<void(const Batch&)>;
    RowMerge(const Schema& schema, std::size_t inputs, Emit emit);

    void push(std::size_t input, const Batch& batch);
    void advance(std::size_t input, std::int64_t bound);
    /// No later row leaves with a ROWTIME below this.
    std::int64_t bound() const;
    std::size_t waiting_rows() const;

    void save(StateWriter& to) const;
    void load(StateReader& from);

 private:
    struct Input {
        RowBatch rows;
        std::size_t next = 0;  // first row that has not left
        std::int64_t bound = kNoBound;
    };
    void release();

    std::vector<Input> inputs_;
    RowBatch out_;
    Emit emit_;
};

}  // namespace tidemill::sql
