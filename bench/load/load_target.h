#pragma once

#include <vector>

#include "bench/load/bench.h"
#include "producer/admin_client.h"

namespace tidemill::bench {

/// The stream under load: made when it is not there.
struct LoadTarget {
    std::vector<std::uint32_t> shards;  ///< uids of the open ones
    std::vector<std::uint64_t> trims, ends;
    std::string durability;

    std::uint64_t record_count() const;
};

Result<LoadTarget> prepare_target(const BenchOptions& options);
/// The stream as it is. Errors: NotFound when it is missing or empty.
Result<LoadTarget> existing_target(const BenchOptions& options);
/// Refuses what cannot be measured and fills in what was not given. Errors: InvalidArgument.
Result<BenchOptions> checked(BenchOptions options);

/// A batch of `options.batch` records of `options.record_bytes`; the first 8 bytes of each record
/// are 0.
std::vector<std::byte> build_batch(const BenchOptions& options, std::uint64_t seed);

}  // namespace tidemill::bench
