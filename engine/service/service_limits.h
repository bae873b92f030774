#pragma once

#include <chrono>
#include <cstdint>

#include "engine/base/bytes.h"
#include "proto/wire_limits.h"

/// The limits that every door shares.
namespace tidemill::service_limits {

constexpr std::size_t kStreamNameMax = 128;
constexpr std::uint32_t kShardsPerStreamMax = 10'000;
constexpr std::size_t kStreamsMax = 10'000;
constexpr std::uint64_t kShardsMax = 200'000;
constexpr std::chrono::hours kRetentionMin{1};
constexpr std::chrono::hours kRetentionMax{10 * 365 * 24};
constexpr std::uint64_t kMaxBytesMinPerShard = 1_MiB;  // a smaller bound keeps next to nothing
constexpr std::size_t kTagsMax = 50;
constexpr std::size_t kTagKeyMax = 128;    // characters; counted in bytes of at most 4
constexpr std::size_t kTagValueMax = 256;  // likewise
constexpr std::size_t kConsumersPerStreamMax = 50;
constexpr std::size_t kPolicyBytesMax = 20 * 1024;
constexpr std::uint32_t kWarmMibPerSecondMax = 10'240;
constexpr std::size_t kApplicationNameMax = 256;
constexpr std::size_t kWorkerNameMax = 256;
constexpr std::size_t kBlobNameMax = 1024;
constexpr std::size_t kBlobBytesMax = 256_MiB;
constexpr std::chrono::minutes kIteratorLife{5};

static_assert(kShardsMax >= kShardsPerStreamMax);

}  // namespace tidemill::service_limits
