#pragma once

#include <cstdint>
#include <string>

#include "engine/base/result.h"
#include "operators/nexmark/generator.h"

namespace tidemill::nexmark {

/// What the events are when the clock starts.
enum class EventForm : std::uint8_t {
    Generated,  ///< nothing yet: making them as columns is part of the time
    Json,       ///< bids as JSON records; decoding them, and encoding what comes out, is
};

struct BenchOptions {
    EventForm form = EventForm::Generated;
    std::string query = "q0";  ///< a name of `queries()`
    std::string sql_text;      ///< takes the place of the query's, if given
    std::uint64_t events = 10'000'000;
    double checkpoint_seconds = 2;  ///< between snapshots of the whole state into memory
    GeneratorOptions generator;
};

struct BenchResult {
    std::uint64_t events = 0, rows_out = 0, errors = 0;
    std::string first_error;
    double seconds = 0;      ///< by the clock, all of it: making events, the query, checkpoints
    double cpu_seconds = 0;  ///< of this one thread
    double generator_events_per_second = 0;  ///< making the same events and nothing else
    std::uint64_t checkpoints = 0, checkpoint_bytes = 0;  ///< bytes of the largest
    double checkpoint_seconds = 0;                        ///< spent in them
    double record_bytes = 0;                              ///< mean of a JSON record
    std::uint64_t bytes_out = 0;                          ///< JSON of the rows out

    /// Events a second of one core.
    double events_per_second() const {
        return cpu_seconds > 0 ? static_cast<double>(events) / cpu_seconds : 0;
    }
};

/// Makes the events and runs the query over them, on the caller's thread: what the query emits is
/// counted and dropped, checkpoints go into memory, at least one is taken. As JSON, all events are
/// bids, made before and used again and again, with ROWTIME as their time of arrival. Errors:
/// NotFound for a query, InvalidArgument with the text of the SQL error.
Result<BenchResult> run_bench(const BenchOptions& options);

}  // namespace tidemill::nexmark
