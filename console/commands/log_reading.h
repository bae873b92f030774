#pragma once

#include <optional>
#include <string>

#include "engine/log/verify.h"

namespace tidemill::console {

/// What `tidemill log` was asked for.
struct LogOptions {
    std::string data, format, connect;
    std::uint32_t lane = 0, shard = 0, top = 10;
    bool has_lane = false, has_shard = false;
    std::uint64_t from = 0;
    bool with_records = false;
};

/// Reads the log of a data directory, which no broker may be serving from meanwhile, and calls
/// `visit` (null: nothing) for each batch and control in order. Errors: ResourceInUse, NotFound (no
/// log there), Corrupt (its superblock), IoFailed.
Result<LogReport> read_log(const LogOptions& options, VisitBatch visit);

int verify_command(const LogOptions& options);
int dump_command(const LogOptions& options);
int stats_command(const LogOptions& options);

}  // namespace tidemill::console
