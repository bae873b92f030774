#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/service/stream_service.h"

namespace tidemill {

/// The account that calls without credentials are of.
constexpr const char* kDefaultAccount = "000000000000";

/// [a-zA-Z0-9_.-]{1,128}
bool is_stream_name(std::string_view name);
/// Of tags that are to be set. Errors: InvalidArgument.
Status check_tags(const std::map<std::string, std::string>& tags);
/// Sets the tags of `set`, then takes those of `remove` away. Errors: InvalidArgument.
Status edit_tags_of(std::map<std::string, std::string>& tags,
                    const std::map<std::string, std::string>& set,
                    const std::vector<std::string>& remove);
/// Errors: LimitExceeded.
Status check_more_consumers(const StreamInfo& stream);
/// Errors: InvalidArgument.
Status check_policy(std::string_view policy);
/// Record size, mode, warmth and distribution fit together. Errors: InvalidArgument, Validation.
Status check_settings(const StreamInfo& stream);
/// How many shards take so much to write: one for each MiB/s.
std::uint32_t warm_shards(std::uint32_t mib_per_second);
/// Errors: InvalidArgument.
Status check_retention(std::chrono::hours retention, std::uint64_t max_bytes, std::size_t shards);
/// What the log must know of each shard of the stream, also of those that a reshard adds.
ShardPolicy policy_of(const StreamInfo& stream);
/// Errors: InvalidArgument, LimitExceeded.
Status check_create(const CreateStream& request, const CatalogView& existing);

/// Of a stream. Errors: InvalidArgument.
Status check_shard_count(std::uint32_t count);
/// Whether a stream may have `open` open shards, and there may be `more` shards of all streams.
/// Errors: LimitExceeded.
Status check_more_shards(const CatalogView& existing, std::size_t open, std::size_t more);

// AWS's own limits, in force with limits.mode "aws" only.
/// Whether one more stream of `open` shards fits the account. Errors: LimitExceeded.
Status check_quotas(StreamMode mode, std::uint64_t open, const CatalogView& existing);
/// One scaling at most doubles or halves. Errors: InvalidArgument.
Status check_scale_step(std::uint64_t current, std::uint64_t target);
/// Errors: LimitExceeded.
Status check_shard_quota(std::uint64_t more, const CatalogView& existing);

}  // namespace tidemill
