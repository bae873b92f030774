#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/base/bytes.h"
#include "engine/base/time.h"

namespace tidemill::query {

/// What no setting changes.
namespace limits {
constexpr std::size_t kNameMax = 128;
constexpr std::size_t kSqlTextMax = 102'400;  // as the retired service's
constexpr std::size_t kInputsMax = 64;
constexpr std::size_t kOutputsMax = 16;
constexpr std::size_t kColumnsMax = 1000;
constexpr std::size_t kApplicationsMax = 1000;
constexpr std::size_t kSampleRows = 100;  // that a schema is found in
}  // namespace limits

struct QueryLimits {
    /// A slice of work on the reactor before others get their turn.
    std::chrono::microseconds slice{500};
    std::size_t read_bytes = 256_KiB;           ///< of one read of one shard
    std::uint64_t rows_in_flight_max = 20'000;  ///< to outputs; above it sources wait
    std::size_t put_records_max = 2'000;        ///< of one write to one output
    std::size_t live_rows_per_frame = 500;
    std::chrono::milliseconds checkpoint_every = 1s;
    /// How often ROWTIME of idle inputs follows the clock.
    std::chrono::milliseconds idle_tick = 100ms;
    /// How far behind the clock it stays: a record may be stamped a little before it can be read.
    std::chrono::milliseconds idle_slack = 250ms;
    std::chrono::milliseconds retry_first = 20ms;  ///< after a failed read or write; doubles
    std::chrono::milliseconds retry_last = 1s;
    std::chrono::milliseconds drain_timeout = 5s;  ///< for outputs of a stopping application

    // What applications may do outside the broker, by its settings:
    bool allows_commands = false;       ///< run commands: whoever may make an application may then
                                        ///< run anything
    bool allows_http = true;            ///< send rows to HTTP servers
    std::string files_directory{};      ///< write files below it; empty: none
    std::string functions_directory{};  ///< its executables stand for Lambda functions; empty: none

    // Exactly once (docs/decisions/0013):
    std::string journal_directory{};  ///< journals of applications; empty: output is at least once
    bool syncs_journal = true;        ///< as the log does; false: survives a kill, not a power cut
};

}  // namespace tidemill::query
