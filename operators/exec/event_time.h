#pragma once

#include <functional>

#include "operators/exec/reorder_buffer.h"
#include "operators/plan/watermark.h"

namespace tidemill::sql {

/// A stream with a watermark: takes rows as they arrive, gives them in the order of their event
/// time once nothing earlier is waited for. Source: Akidau et al., "The Dataflow Model" (VLDB
/// 2015).
class EventTime {
 public:
    struct Outlets {
        std::function<void(const Batch&)> in_order;  ///< ROWTIME is the event time
        /// Below the watermark; with the columns of the stream and by how much, ROWTIME of arrival.
        std::function<void(const Batch&)> late;
        std::function<void(const Batch&, std::size_t row)> without_time;
    };
    /// `late`: the schema of the rows that come too late.
    EventTime(const Schema& schema, const Schema& late, Watermark watermark, Outlets outlets);

    void push(const Batch& batch);
    /// The arrivals have come so far; INT64_MAX is their end. Returns the watermark: no later row
    /// that goes out in order is below it.
    std::int64_t advance(std::int64_t arrivals);

    void save(StateWriter& to) const;
    void load(StateReader& from);

 private:
    Watermark spec_;
    Outlets outlets_;
    ReorderBuffer rows_;
    RowBatch late_;
    std::int64_t watermark_ = INT64_MIN, latest_ = INT64_MIN, last_arrival_ = INT64_MIN;
};

}  // namespace tidemill::sql
