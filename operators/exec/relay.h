#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "operators/exec/event_time.h"
#include "operators/exec/row_merge.h"

namespace tidemill::sql {

/// An in-application stream at run time: rows of its writers, merged by ROWTIME if there are
/// several, go to all its readers (first operators of pumps) and subscribers.
class Relay {
 public:
    Relay(ExecContext& context, std::string name, Schema schema);

    const std::string& name() const { return name_; }
    const Schema& schema() const { return schema_; }
    std::uint64_t rows() const { return rows_; }
    /// No row below this is taken.
    std::int64_t last_rowtime() const { return last_rowtime_; }

    /// Before the first row.
    std::size_t add_writer() { return writer_count_++; }
    void add_reader(Operator* reader) { readers_.push_back(reader); }
    bool has_readers() const { return !readers_.empty(); }
    /// Rows that subscribers see and no reader.
    void show(const Batch& batch);
    void subscribe(std::function<void(const Batch&)> callback) {
        rows_callbacks_.push_back(std::move(callback));
    }
    void subscribe_bounds(std::function<void(std::int64_t)> callback) {
        bound_callbacks_.push_back(std::move(callback));
    }
    /// Rows are put in the order of a column; `late` gets those that come too late. Before `seal`.
    void follow_event_time(const Watermark& watermark, Relay& late);
    /// After all writers are known.
    void seal();

    /// Rows below the stream's bound go to the error stream.
    void push(std::size_t writer, const Batch& batch);
    void advance(std::size_t writer, std::int64_t bound);

    void save(StateWriter& to) const;
    void load(StateReader& from);

 private:
    void arrive(const Batch& batch);
    void deliver(const Batch& batch);
    void reject_timeless(const Batch& batch, std::size_t row);
    void reject_late(const Batch& batch, std::size_t row);

    ExecContext& context_;
    std::string name_;
    Schema schema_;
    std::size_t writer_count_ = 0;
    std::optional<RowMerge> merge_;  // with two writers or more
    std::unique_ptr<EventTime> event_time_;
    Relay* late_ = nullptr;
    std::size_t late_writer_ = 0;
    std::vector<Operator*> readers_;
    std::vector<std::function<void(const Batch&)>> rows_callbacks_;
    std::vector<std::function<void(std::int64_t)>> bound_callbacks_;
    std::int64_t last_rowtime_ = kNoBound, bound_ = kNoBound;
    std::uint64_t rows_ = 0;
    std::vector<RowIndex> ascending_;
};

}  // namespace tidemill::sql
