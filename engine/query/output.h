#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "engine/base/time.h"
#include "engine/io/task.h"
#include "engine/query/application_checkpoint.h"
#include "operators/connect/rejected_row.h"
#include "operators/vector/batch.h"

namespace tidemill::query {

/// Where the rows of one in-application stream go, in their order. Core: the one that made it.
class Output {
 public:
    struct Hooks {
        /// So many rows have left, one way or the other.
        std::function<void(std::size_t rows)> settled;
        /// A row that will never be taken (too large, refused).
        std::function<void(sql::RejectedRow row)> refused;
        /// Resumes once what the rows taken so far came of is on disk; false when that will not
        /// be. Null: nobody has to wait.
        std::function<Task<bool>()> recorded{};
    };

    virtual ~Output() = default;

    virtual void start() = 0;
    /// Takes rows over, without waiting.
    virtual void take(const sql::Batch& batch) = 0;
    /// The rows taken so far are those of a checkpoint: no write holds rows from both sides of it.
    virtual void mark() {}
    /// Of the last mark, once its rows are acknowledged.
    virtual OutputPosition position() const { return {}; }
    /// True once `taken` rows are acknowledged; false at `deadline` or when the output stops.
    virtual Task<bool> wait_acknowledged(std::uint64_t taken, MonoTime deadline) = 0;
    /// Gives up what is not yet acknowledged. Idempotent.
    virtual Task<void> stop() = 0;

    virtual std::uint64_t taken() const = 0;
    virtual std::uint64_t acknowledged() const = 0;
    virtual const std::string& trouble() const = 0;  ///< why it cannot write just now
};

}  // namespace tidemill::query
