#include "engine/service/stream_rules.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/service/service_limits.h"

namespace tidemill {
namespace limits = service_limits;

bool is_stream_name(std::string_view name) {
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '.' || c == '-';
    };
    return !name.empty() && name.size() <= limits::kStreamNameMax &&
           std::ranges::all_of(name, fits);
}

namespace {

constexpr std::string_view kReservedPrefix = "aws:";

std::size_t characters(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

/// Source: AWS, "Tag restrictions". All of Unicode beyond ASCII is taken for letters.
bool is_tag_text(std::string_view text) {
    return std::ranges::all_of(text, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte >= 0x80 || (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
               (byte >= 'a' && byte <= 'z') ||
               std::string_view(" \t\n_.:/=+-%@").find(c) != std::string_view::npos;
    });
}

}  // namespace

Status check_tags(const std::map<std::string, std::string>& tags) {
    if (tags.size() > limits::kTagsMax)
        return fail(Errc::InvalidArgument,
                    fmt::format("A resource has at most {} tags; there would be {}.",
                                limits::kTagsMax, tags.size()));
    for (const auto& [key, value] : tags) {
        if (key.empty() || characters(key) > limits::kTagKeyMax ||
            characters(value) > limits::kTagValueMax)
            return fail(Errc::InvalidArgument,
                        fmt::format("Tag keys have 1 to {} characters and values at most {}.",
                                    limits::kTagKeyMax, limits::kTagValueMax));
        if (!is_tag_text(key) || !is_tag_text(value))
            return fail(Errc::InvalidArgument,
                        "Some tags contain invalid characters. Valid characters: Unicode letters, "
                        "digits, white space, _ . : / = + - % @.");
        if (key.starts_with(kReservedPrefix))
            return fail(Errc::InvalidArgument,
                        fmt::format("Tag keys that start with {} are reserved; '{}' does.",
                                    kReservedPrefix, key));
    }
    return {};
}

Status edit_tags_of(std::map<std::string, std::string>& tags,
                    const std::map<std::string, std::string>& set,
                    const std::vector<std::string>& remove) {
    for (const auto& [key, value] : set)
        tags[key] = value;
    for (const auto& key : remove)
        tags.erase(key);
    if (!set.empty() && tags.size() > limits::kTagsMax)
        return fail(Errc::InvalidArgument,
                    fmt::format("A resource has at most {} tags; there would be {}.",
                                limits::kTagsMax, tags.size()));
    return {};
}

Status check_more_consumers(const StreamInfo& stream) {
    if (stream.consumers.size() < limits::kConsumersPerStreamMax) return {};
    return fail(Errc::LimitExceeded,
                fmt::format("Stream {} has {} registered consumers, the limit.", stream.name,
                            stream.consumers.size()));
}

Status check_policy(std::string_view policy) {
    if (policy.size() <= limits::kPolicyBytesMax) return {};
    return fail(Errc::InvalidArgument, fmt::format("A policy has at most {} bytes, not {}.",
                                                   limits::kPolicyBytesMax, policy.size()));
}

Status check_settings(const StreamInfo& stream) {
    if (stream.max_record_bytes < wire_limits::kRecordBytesDefault ||
        stream.max_record_bytes > wire_limits::kRecordBytesMax)
        return fail(Errc::Validation,
                    fmt::format("A stream's records have at most 1024 to 10240 KiB; {} bytes were "
                                "asked for.",
                                stream.max_record_bytes));
    if (stream.warm_mib_per_second > limits::kWarmMibPerSecondMax)
        return fail(Errc::Validation,
                    fmt::format("Warm throughput is at most {} MiB/s; {} were asked for.",
                                limits::kWarmMibPerSecondMax, stream.warm_mib_per_second));
    if (stream.mode == StreamMode::OnDemand) return {};
    if (stream.warm_mib_per_second != 0)
        return fail(Errc::Validation,
                    "Warm throughput is not supported for a stream in PROVISIONED mode.");
    if (stream.distribution == RecordDistribution::Auto)
        return fail(Errc::InvalidArgument,
                    "RecordDistributionStrategy AUTO is not supported for a stream in PROVISIONED "
                    "mode.");
    return {};
}

std::uint32_t warm_shards(std::uint32_t mib_per_second) {
    return std::min(mib_per_second, limits::kShardsPerStreamMax);
}

Status check_shard_count(std::uint32_t count) {
    if (count >= 1 && count <= limits::kShardsPerStreamMax) return {};
    return fail(Errc::InvalidArgument,
                fmt::format("A stream has 1 to {} shards; {} were asked for.",
                            limits::kShardsPerStreamMax, count));
}

Status check_more_shards(const CatalogView& existing, std::size_t open, std::size_t more) {
    if (open > limits::kShardsPerStreamMax)
        return fail(Errc::LimitExceeded,
                    fmt::format("A stream has at most {} open shards; there would be {}.",
                                limits::kShardsPerStreamMax, open));
    std::uint64_t shards = more;
    for (const auto& [name, stream] : existing.streams)
        shards += stream->shards.size();
    if (shards > limits::kShardsMax)
        return fail(Errc::LimitExceeded,
                    fmt::format("There would be {} shards, closed ones included; the limit is {}.",
                                shards, limits::kShardsMax));
    return {};
}

Status check_shard_quota(std::uint64_t more, const CatalogView& existing) {
    const auto exceeded = exceeded_shard_quota(existing, more);
    if (!exceeded) return {};
    return fail(Errc::LimitExceeded,
                fmt::format("This request would exceed the shard limit for the account. Current "
                            "shard count for the account: {}. Limit: {}.",
                            exceeded->open, exceeded->limit));
}

Status check_quotas(StreamMode mode, std::uint64_t open, const CatalogView& existing) {
    TRY(check_shard_quota(open, existing));
    if (mode != StreamMode::OnDemand) return {};
    const auto is_on_demand = [](const auto& entry) {
        return entry.second->mode == StreamMode::OnDemand;
    };
    const auto count = std::ranges::count_if(existing.streams, is_on_demand);
    if (static_cast<std::size_t>(count) < aws_rates::kOnDemandStreams) return {};
    return fail(Errc::LimitExceeded,
                fmt::format("There are {} streams in ON_DEMAND mode already, the limit.", count));
}

Status check_scale_step(std::uint64_t current, std::uint64_t target) {
    if (target > 2 * current)
        return fail(Errc::InvalidArgument,
                    fmt::format("UpdateShardCount cannot scale up over double your current open "
                                "shard count. Current open shard count: {} Target shard count: {}",
                                current, target));
    if (2 * target < current)
        return fail(Errc::InvalidArgument,
                    fmt::format("UpdateShardCount cannot scale down below half your current open "
                                "shard count. Current open shard count: {} Target shard count: {}",
                                current, target));
    return {};
}

ShardPolicy policy_of(const StreamInfo& stream) {
    // Closed shards count too: what they hold is part of the stream until it expires.
    const std::uint64_t shards =
        stream.shards.size() + (stream.reshard ? stream.reshard->added.size() : 0);
    return {.retention = stream.retention,
            .max_bytes = stream.max_bytes == 0
                             ? 0
                             : std::max<std::uint64_t>(
                                   stream.max_bytes / std::max<std::uint64_t>(shards, 1), 1)};
}

Status check_retention(std::chrono::hours retention, std::uint64_t max_bytes, std::size_t shards) {
    if (retention < limits::kRetentionMin || retention > limits::kRetentionMax)
        return fail(Errc::InvalidArgument,
                    fmt::format("Retention is between {} and {} hours; {} were asked for.",
                                limits::kRetentionMin.count(), limits::kRetentionMax.count(),
                                retention.count()));
    if (max_bytes != 0 && max_bytes / limits::kMaxBytesMinPerShard < shards)
        return fail(Errc::InvalidArgument,
                    fmt::format("max_bytes is 0 (no bound) or at least {} bytes for each of {} "
                                "shards; {} were asked for.",
                                limits::kMaxBytesMinPerShard, shards, max_bytes));
    return {};
}

Status check_create(const CreateStream& request, const CatalogView& existing) {
    if (!is_stream_name(request.name))
        return fail(Errc::InvalidArgument,
                    fmt::format("A stream's name has 1 to {} characters of a-z, A-Z, 0-9, '_', '.' "
                                "and '-'; '{}' does not fit.",
                                limits::kStreamNameMax, request.name.substr(0, 200)));
    TRY(check_shard_count(request.shard_count));
    TRY(check_retention(request.retention, request.max_bytes, request.shard_count));
    TRY(check_tags(request.tags));
    if (existing.streams.size() >= limits::kStreamsMax)
        return fail(Errc::LimitExceeded,
                    fmt::format("There are {} streams already, the limit.", limits::kStreamsMax));
    return check_more_shards(existing, request.shard_count, request.shard_count);
}

}  // namespace tidemill
