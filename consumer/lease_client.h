#pragma once

#include <string>
#include <vector>

#include "consumer/lease_plan.h"
#include "producer/broker_connection.h"

namespace tidemill::client {

/// Asks the broker about one application's leases and checkpoints, and about the stream they belong
/// to. Blocks.
class LeaseClient {
 public:
    struct Leases {
        std::vector<Lease> all;
        WallTime server_time{};
    };

    LeaseClient(Endpoint endpoint, std::chrono::milliseconds timeout, std::string application,
                std::string worker)
        : connection_(std::move(endpoint), timeout),
          application_(std::move(application)),
          worker_(std::move(worker)) {}

    Result<StreamDescription> describe(const std::string& stream);
    Result<std::uint64_t> first_ordinal(std::uint32_t shard_uid, std::int64_t at_ms);
    Result<std::uint64_t> tail_ordinal(std::uint32_t shard_uid);

    Result<Leases> leases(std::uint32_t stream);
    /// Takes or renews. Errors: Fenced.
    Result<Lease> acquire(std::uint32_t stream, std::uint32_t shard_index,
                          std::chrono::milliseconds duration);
    /// Errors: Fenced.
    Status save(std::uint32_t stream, const Lease& lease);
    Status release(std::uint32_t stream, std::uint32_t shard_index);

 private:
    BrokerConnection connection_;
    std::string application_, worker_;
};

}  // namespace tidemill::client
