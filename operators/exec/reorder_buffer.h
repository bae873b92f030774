#pragma once

#include <functional>
#include <vector>

#include "operators/state/state_reader.h"
#include "operators/state/state_writer.h"
#include "operators/vector/batch.h"

namespace tidemill::sql {

/// Rows that wait for their time: they leave in the order of it, equal ones in the order in which
/// they came.
class ReorderBuffer {
 public:
    explicit ReorderBuffer(const Schema& schema);

    /// A row with the first columns of the batch.
    void add(const Batch& batch, std::size_t row, std::int64_t time);
    /// Calls `emit` with the rows up to that time, which is their ROWTIME.
    void release(std::int64_t until, const std::function<void(const Batch&)>& emit);
    std::size_t size() const { return waiting_.size(); }

    void save(StateWriter& to) const;
    void load(StateReader& from);

 private:
    struct Waiting {
        std::int64_t time;
        std::uint64_t sequence;
        std::uint32_t row;  ///< in rows_
    };
    void compact();

    std::vector<Column> rows_;      // those that wait, and some that have left
    std::vector<Waiting> waiting_;  // a heap, earliest first
    std::uint64_t next_sequence_ = 0;
    std::uint32_t count_ = 0;  // of rows_
    RowBatch out_;
};

}  // namespace tidemill::sql
