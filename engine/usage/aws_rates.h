#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "engine/base/bytes.h"
#include "engine/usage/token_bucket.h"

/// What AWS allows, in force with limits.mode "aws". Source: Kinesis Data Streams developer guide,
/// "Quotas and limits", and the operations' own pages.
namespace tidemill::aws_rates {

// A shard.
constexpr BucketRate kWriteRecords{1000, 1000};
constexpr BucketRate kWriteBytes{1_MiB, 10_MiB};  // data and keys; bursts as for large records
constexpr BucketRate kReadCalls{5, 5};            // GetRecords
constexpr BucketRate kReadBytes{2_MiB, 2_MiB};    // of all GetRecords together
constexpr BucketRate kIteratorCalls{5, 5};        // GetShardIterator
// A subscription: one consumer on one shard.
constexpr BucketRate kSubscriptionBytes{2_MiB, 2_MiB};

// An account.
constexpr std::uint64_t kShards = 20'000;  // us-east-1, us-west-2, eu-west-1; elsewhere fewer
constexpr std::size_t kOnDemandStreams = 50;
constexpr std::uint32_t kStreamsBeingCreated = 5;

// A stream, in any 24 hours.
constexpr std::chrono::hours kDay{24};
constexpr std::size_t kScalingsADay = 10;
constexpr std::size_t kEncryptionStartsADay = 25;
constexpr std::size_t kEncryptionStopsADay = 25;
constexpr std::size_t kModeSwitchesADay = 2;

}  // namespace tidemill::aws_rates
