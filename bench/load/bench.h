#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/histogram.h"
#include "engine/base/result.h"
#include "proto/batch_codec.h"

namespace tidemill::bench {

/// What `tidemill bench produce|consume|...` takes.
struct BenchOptions {
    std::string connect = "127.0.0.1:4567";
    std::string stream = "bench";
    std::uint32_t shards = 8;  ///< of the stream, when it has to be made
    std::uint32_t record_bytes =
        100;                    ///< data of one record, at least 8; the partition key comes on top
    std::uint64_t records = 0;  ///< stop after so many; 0: after `seconds`
    double seconds = 0;         ///< 0 with no records either: 5
    double rate = 0;            ///< records per second, open loop; 0: as fast as the window allows
    std::uint32_t batch = 100;  ///< records a batch
    Compression compression;    ///< of every batch as it is sent; then the records are like JSON
    std::uint32_t connections = 1;
    std::uint32_t window = 0;  ///< unacknowledged records a connection; 0: 32 batches
    std::uint32_t sample_shards =
        0;  ///< catchup: so many shards, one after another; 0: all at once
    /// latency: a SQL application brings records, JSON then, from `stream` to this one; empty:
    /// none.
    std::string sql_output;
    bool until_broken = false;  ///< produce: a lost connection ends the run, not an error
    // Of the loads over HTTP:
    bool cbor = false;                   ///< not JSON
    std::string access_key, secret_key;  ///< every request is signed with; empty: none is
};

/// Makes the streams of `run_latency` where they are missing.
Status prepare_streams(const BenchOptions& options);

/// What the key of every record takes beside its data.
constexpr std::uint32_t kKeyBytes = 4;

struct BenchResult {
    std::string kind;  ///< "produce", "consume", ...: the command's name
    std::uint64_t records = 0;
    std::uint64_t bytes = 0;  ///< of record data
    double elapsed_seconds = 0;
    Histogram latency_ns;      ///< one value a record; consume: one wait between deliveries of a
                               ///< connection each
    Histogram acknowledge_ns;  ///< latency only: send to acknowledgement
    std::string durability;    ///< what the broker says an acknowledgement means
    std::uint32_t shards = 0;
    std::uint64_t throttled_batches = 0;  ///< put off by the broker and sent again
    bool is_broken = false;  ///< the connection was lost before the end (with `until_broken`)
    std::vector<std::uint64_t>
        shard_records;  ///< produce: acknowledged of each shard; catchup: read of each
    BenchOptions options;

    double records_per_second() const;
    double bytes_per_second() const;
    /// One JSON object on one line.
    std::string to_json() const;
};

/// Sends pre-built batches and counts acknowledged records; latency is send (closed loop) or
/// intended send (with `rate`) to acknowledgement. One thread. Errors: the connection's, the
/// broker's first refusal, Timeout when nothing is acknowledged for 20 s.
Result<BenchResult> run_produce(const BenchOptions& options);
/// Reads all shards from the oldest record by subscription, checks every checksum, counts. Fills an
/// empty stream first, and begins again at the oldest record until the time is up.
Result<BenchResult> run_consume(const BenchOptions& options);
/// Reads what the stream holds now, once, and checks every checksum; fills nothing. Errors:
/// NotFound when the stream is missing or empty.
Result<BenchResult> run_catchup(const BenchOptions& options);
/// Sends at `rate` (10,000 when not given) and subscribes to the same shards: latency is intended
/// send to delivery.
Result<BenchResult> run_latency(const BenchOptions& options);

/// Kinesis over HTTP/1.1, at any endpoint that serves it: requests are built and signed before the
/// clock starts and sent again and again, one under way on each connection; latency is of a
/// request. Errors: the connection's, the first answer that is no success.
Result<BenchResult> run_put_records(const BenchOptions& options);
Result<BenchResult> run_put_record(const BenchOptions& options);
/// Pages of `batch` records, each connection of one shard; fills an empty stream first.
Result<BenchResult> run_get_records(const BenchOptions& options);

}  // namespace tidemill::bench
