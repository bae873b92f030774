#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "operators/connect/rejected_row.h"
#include "operators/expr/evaluation.h"
#include "operators/state/state_reader.h"
#include "operators/state/state_writer.h"
#include "operators/vector/batch.h"

namespace tidemill::sql {

inline constexpr std::int64_t kNoBound = INT64_MIN;
inline constexpr std::int64_t kEndOfTime = INT64_MAX;

/// What all operators of an application share.
struct ExecContext {
    std::int64_t now = kNoBound;  ///< caller's clock; kNoBound: the latest ROWTIME serves
    std::int64_t latest_rowtime = 0;
    RejectedRows rejected;  ///< on their way to the error stream
    bool measures_time = false;
    std::int64_t inner_nanoseconds = 0;  ///< of operators called by the one that runs now

    std::int64_t clock() const { return now == kNoBound ? latest_rowtime : now; }
};

/// One step of a pump: gets batches, gives batches to the next one. Bounds travel the same way:
/// `advance(b)` promises that no later row has a ROWTIME below b; kEndOfTime means there are none.
/// Contract of `push`: selected rows ascend by ROWTIME and are at or above the last bound; the
/// batch is the caller's and lives for the call.
class Operator {
 public:
    Operator(ExecContext& context, std::string pump, std::string name, Schema input)
        : context_(context),
          pump_(std::move(pump)),
          name_(std::move(name)),
          input_(std::move(input)) {}
    virtual ~Operator() = default;

    /// Counts, then does the operator's work.
    void push(const Batch& batch) {
        ++batches_in_;
        rows_in_ += batch.size();
        if (batch.size() == 0) return;
        const Stopwatch watch(*this);
        on_batch(batch);
    }
    /// Bounds only grow; a repeated one is dropped here.
    void advance(std::int64_t bound) {
        if (bound <= bound_) return;
        bound_ = bound;
        const Stopwatch watch(*this);
        on_bound(bound);
    }

    void set_next(Operator* next) { next_ = next; }
    Operator* next() const { return next_; }
    std::int64_t bound() const { return bound_; }

    void snapshot(StateWriter& to) const;
    void restore(StateReader& from);

    /// The step of the plan that this operator does, as it describes itself; for EXPLAIN.
    void set_step(std::string text) { step_ = std::move(text); }
    const std::string& step() const { return step_; }
    /// Spent in this operator alone, while the context measures time.
    std::chrono::nanoseconds time() const { return std::chrono::nanoseconds(nanoseconds_); }
    /// What a snapshot of its state takes. As costly as one.
    std::size_t snapshot_bytes() const;

    const std::string& name() const { return name_; }
    const std::string& pump() const { return pump_; }
    std::uint64_t rows_in() const { return rows_in_; }
    std::uint64_t rows_out() const { return rows_out_; }
    std::uint64_t batches_in() const { return batches_in_; }
    std::uint64_t rows_rejected() const { return rows_rejected_; }

 protected:
    virtual void on_batch(const Batch& batch) = 0;
    virtual void on_bound(std::int64_t bound) { pass_bound(bound); }
    virtual void save(StateWriter&) const {}
    virtual void load(StateReader&) {}

    void emit(const Batch& batch) {
        if (batch.size() == 0) return;
        rows_out_ += batch.size();
        if (next_ != nullptr) next_->push(batch);
    }
    void pass_bound(std::int64_t bound) {
        if (next_ != nullptr) next_->advance(bound);
    }
    /// Sends the rows that failed to the error stream and returns the others (kept in `scratch` if
    /// any failed).
    Selection settle(const Evaluation& evaluation, const Selection& rows,
                     std::vector<RowIndex>& scratch);
    /// One row of `batch`, in the shape of this operator's input.
    void reject(const Batch& batch, std::size_t row, std::string name, std::string message) {
        reject_as(input_, batch, row, std::move(name), std::move(message));
    }
    /// One row of a batch of another shape.
    void reject_as(const Schema& shape, const Batch& batch, std::size_t row, std::string name,
                   std::string message);

    ExecContext& context() { return context_; }
    const Schema& input() const { return input_; }

 private:
    /// Adds the time until it is destroyed, without that of the operators called meanwhile.
    class Stopwatch {
     public:
        explicit Stopwatch(Operator& op) : op_(op), is_running_(op.context_.measures_time) {
            if (!is_running_) return;
            outer_ = std::exchange(op_.context_.inner_nanoseconds, 0);
            began_ = std::chrono::steady_clock::now();
        }
        ~Stopwatch() {
            if (!is_running_) return;
            const std::int64_t took = (std::chrono::steady_clock::now() - began_).count();
            op_.nanoseconds_ += took - op_.context_.inner_nanoseconds;
            op_.context_.inner_nanoseconds = outer_ + took;
        }
        Stopwatch(const Stopwatch&) = delete;
        Stopwatch& operator=(const Stopwatch&) = delete;

     private:
        Operator& op_;
        bool is_running_;
        std::int64_t outer_ = 0;
        std::chrono::steady_clock::time_point began_;
    };

    ExecContext& context_;
    std::string pump_, name_, step_;
    Schema input_;
    Operator* next_ = nullptr;
    std::int64_t bound_ = kNoBound;
    std::uint64_t rows_in_ = 0, rows_out_ = 0, batches_in_ = 0, rows_rejected_ = 0;
    std::int64_t nanoseconds_ = 0;
};

}  // namespace tidemill::sql
