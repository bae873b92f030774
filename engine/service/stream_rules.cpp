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

Status check_tags(const std::map<std::string, std::string>& tags) {
    if (tags.size() > limits::kTagsMax)
        return fail(Errc::InvalidArgument,
                    fmt::format("A stream has at most {} tags; there would be {}.",
                                limits::kTagsMax, tags.size()));
    for (const auto& [key, value] : tags) {
        if (key.empty() || key.size() > 4 * limits::kTagKeyMax ||
            value.size() > 4 * limits::kTagValueMax)
            return fail(Errc::InvalidArgument,
                        fmt::format("Tag keys have 1 to {} characters and values at most {}.",
                                    limits::kTagKeyMax, limits::kTagValueMax));
    }
    return {};
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
