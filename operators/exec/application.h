#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/ids.h"
#include "engine/base/result.h"
#include "engine/base/time.h"
#include "operators/connect/rejected_row.h"
#include "operators/sql/sql_error.h"
#include "operators/vector/batch.h"
#include "operators/vector/schema.h"

namespace tidemill::sql {

/// A stream that the outside feeds, known to the SQL text without being created in it
/// (usually `SOURCE_SQL_STREAM_001`). Hidden fields are not part of `*`.
struct InputStream {
    std::string name;
    Schema schema;
};

/// A reference table whose columns are known from outside, whether or not the SQL text declares it.
struct TableInfo {
    std::string name;
    Schema schema;
};

struct ApplicationOptions {
    std::uint64_t seed = 42;  ///< of the forests
    /// true: scores as the retired service gave them; false: as AWS's current open library
    bool is_kda_score = true;
    std::vector<TableInfo> tables{};
};

/// An in-application stream, by its number in `Application::streams()`.
using StreamId = StrongId<struct InAppStreamTag, std::uint32_t>;

struct StreamInfo {
    std::string name;  ///< exact case
    Schema schema;     ///< without ROWTIME
    bool is_input = false;
    std::uint64_t rows = 0;  ///< that have passed since start
};

struct PumpInfo {
    std::string name;
    std::string target;                ///< stream it inserts into
    std::vector<std::string> sources;  ///< streams it reads
    bool is_started = true;
    std::string plan;  ///< one operator a line, indented, for EXPLAIN
};

/// What became of a pump's state when another application took over that of an older one.
struct PumpCarried {
    enum class Fate : std::uint8_t { Kept, New, Reset, Dropped };
    std::string name;
    Fate fate = Fate::Kept;
    std::string why;  ///< Reset: what is another

    /// "P: state kept", "Q: begins anew, its query is another".
    std::string describe() const;
    bool operator==(const PumpCarried&) const = default;
};

struct OperatorStats {
    std::string pump;
    std::string name;  ///< "Filter", "Tumble", ...
    std::uint64_t rows_in = 0, rows_out = 0, batches_in = 0, rows_rejected = 0;
    std::string step;                  ///< its line of the pump's plan; empty: in none
    std::chrono::nanoseconds time{0};  ///< in this operator alone; 0 unless time is measured
    std::uint64_t state_bytes = 0;     ///< filled by `stats_with_state`
};

/// A streaming SQL application: streams and pumps compiled into operators, driven from outside.
///
/// Rows go in by `push` and come out through `subscribe`, all within the call: when `push` returns,
/// every row that could be computed from it has been delivered. Time is ROWTIME: it moves with the
/// rows pushed and with `advance`, never by a clock. There is no I/O, no thread and no timer in
/// here. Threads: one caller at a time; callbacks run inside `push`, `advance`, `finish` and must
/// not call back into it.
class Application {
 public:
    /// Compiles SQL text (streams, pumps) over the given inputs. Pumps start at once unless
    /// STOPPED.
    static SqlResult<std::unique_ptr<Application>> compile(std::string_view sql_text,
                                                           std::span<const InputStream> inputs,
                                                           const ApplicationOptions& options = {});
    ~Application();
    Application(const Application&) = delete;
    Application& operator=(const Application&) = delete;

    /// The given inputs first, then in the order of creation, last `error_stream`.
    std::vector<StreamInfo> streams() const;
    std::vector<PumpInfo> pumps() const;
    /// In the order of pumps, and in each from its end to its sources, as its plan is written.
    std::vector<OperatorStats> stats() const;
    /// With the size of each state, which takes as long as a snapshot.
    std::vector<OperatorStats> stats_with_state() const;
    /// From now on operators measure their time, at two looks at the clock a batch.
    void measure_time();

    /// Reference tables, which are empty until rows are set.
    std::vector<TableInfo> tables() const;
    /// Exchanges the rows of a reference table; those pushed from now on meet the new ones. Tables
    /// are no part of a snapshot. Errors: NotFound; InvalidArgument if the columns' types differ.
    Status set_table(std::string_view name, std::shared_ptr<const RowBatch> rows);

    /// Exact name, or its upper-case form; `error_stream` in any case.
    /// Errors: NotFound, naming the nearest stream.
    Result<StreamId> find_stream(std::string_view name) const;
    const Schema& schema(StreamId stream) const;

    /// The caller's wall clock, for CURRENT_TIMESTAMP and ERROR_TIME. Until the first call the
    /// latest ROWTIME serves.
    void set_now(WallTime now);

    /// Feeds rows into an input stream: columns in the order and of the types of its schema,
    /// ROWTIME ascending. A row below the stream's bound goes to the error stream. `batch` is not
    /// kept.
    void push(StreamId input, const Batch& batch);
    /// The same for a RowBatch of any size.
    void push_rows(StreamId input, const RowBatch& rows);
    /// Promises that no later row of `input` has a ROWTIME below `rowtime_bound`: closes windows
    /// that end there. Pushing a row promises its own ROWTIME. Lower bounds than before are
    /// ignored.
    void advance(StreamId input, WallTime rowtime_bound);
    /// The input has ended: all inputs advance to the end of time, open windows are emitted.
    /// Nothing may be pushed after.
    void finish();
    /// Puts rows into `error_stream` (records that a decoder refused).
    void reject(const RejectedRows& rows);

    /// Rows of a stream as they pass, in-application streams, inputs and `error_stream` alike. Any
    /// number a stream.
    using RowsCallback = std::function<void(const Batch& batch)>;
    void subscribe(StreamId stream, RowsCallback callback);
    /// Bounds of a stream as they advance (milliseconds; INT64_MAX at the end).
    using BoundCallback = std::function<void(std::int64_t rowtime_bound)>;
    void subscribe_bounds(StreamId stream, BoundCallback callback);

    /// All state: open windows, forests, bounds, row counts. Take it between calls; rows already
    /// delivered to subscribers are not part of it. The bytes start with a version and a
    /// fingerprint of the plan, end with a CRC32C.
    std::vector<std::byte> snapshot() const;
    /// Continues exactly where the snapshot was taken. Must come before the first push, on an
    /// application compiled from the same SQL over the same inputs and options. Errors: Corrupt
    /// (checksum, format), InvalidArgument (another plan or version); the application must then be
    /// thrown away.
    Status restore(Bytes snapshot);
    /// Takes over what an application of another text has left: the state of each pump whose query,
    /// target and sources are the same, and whose sources are filled by such pumps. Otherwise as
    /// `restore`. Errors: Corrupt, InvalidArgument (version).
    Result<std::vector<PumpCarried>> carry(Bytes snapshot);

 private:
    struct Impl;
    explicit Application(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace tidemill::sql
