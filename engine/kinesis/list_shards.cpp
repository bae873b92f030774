// ListShards.
#include <fmt/format.h>

#include "engine/kinesis/access.h"
#include "engine/kinesis/operations.h"
#include "engine/kinesis/shard_document.h"

namespace tidemill::kinesis {
namespace {

constexpr std::string_view kPurpose = "ListShards";
constexpr std::int64_t kResultsMax = 1000;
constexpr auto kTokenLife = std::chrono::seconds(300);

/// Which shards are listed.
enum class Kind : std::uint8_t { All, OpenAt, OpenAtOrAfter };

/// When a shard began to take records. Its creation may be told as up to a second later, so that it
/// follows its parents' (engine/catalog/reshard.cpp).
WallTime began(const StreamInfo& stream, const ShardInfo& shard) {
    const ShardInfo* parent = shard.parent ? stream.shard_by_index(*shard.parent) : nullptr;
    if (parent == nullptr || !parent->closed) return shard.created;
    return std::min(shard.created, *parent->closed);
}

/// A listing on its way: what NextToken carries.
struct Listing {
    Kind kind = Kind::All;
    WallTime time{};  ///< of OpenAt, OpenAtOrAfter
    std::optional<std::uint32_t> after;
    WallTime made{};
    StreamUid stream;
    std::string name;

    bool lists(const StreamInfo& of, const ShardInfo& shard) const {
        if (after && shard.index <= *after) return false;
        switch (kind) {
            case Kind::All:
                return true;
            case Kind::OpenAt:
                return began(of, shard) <= time && (shard.is_open() || *shard.closed > time);
            case Kind::OpenAtOrAfter:
                return shard.is_open() || *shard.closed >= time;
        }
        return true;
    }
};

constexpr std::size_t kFixedBytes = 25;  // kind, time, after, made, stream; then the name

std::string seal(const TokenSealer& tokens, const Listing& listing, std::uint32_t after) {
    std::vector<std::byte> facts(kFixedBytes);
    facts[0] = static_cast<std::byte>(listing.kind);
    store_le(&facts[1], to_millis(listing.time));
    store_le(&facts[9], after);
    store_le(&facts[13], to_millis(listing.made));
    store_le(&facts[21], listing.stream.value);
    const Bytes name = as_bytes(listing.name);
    facts.insert(facts.end(), name.begin(), name.end());
    return tokens.seal(kPurpose, facts);
}

std::optional<Listing> unseal(const TokenSealer& tokens, std::string_view token) {
    const auto facts = tokens.open(kPurpose, token);
    if (!facts || facts->size() < kFixedBytes) return std::nullopt;
    const std::byte* at = facts->data();
    Listing listing;
    listing.kind = static_cast<Kind>(at[0]);
    listing.time = from_millis(load_le<std::int64_t>(at + 1));
    listing.after = load_le<std::uint32_t>(at + 9);
    listing.made = from_millis(load_le<std::int64_t>(at + 13));
    listing.stream = StreamUid{load_le<std::uint32_t>(at + 21)};
    listing.name = as_text(Bytes(*facts).subspan(kFixedBytes));
    return listing;
}

ApiStatus apply_filter(const Value& filter, const StreamInfo& stream, WallTime now,
                       Listing& listing) {
    const std::string_view type = filter.text_or("Type", "");
    const auto time = time_member(filter, "Timestamp");
    const WallTime horizon = std::max(stream.created, now - stream.retention);
    if (type == "AFTER_SHARD_ID") {
        const auto id = filter.text_or("ShardId", "");
        if (id.empty())
            return invalid_argument(
                "ShardId must be specified when the filter type is AFTER_SHARD_ID.");
        const auto index = parse_shard_id(id);
        if (!index) return invalid_argument(fmt::format("ShardId {} is not valid.", id));
        listing.after = *index;
    } else if (type == "AT_LATEST") {
        listing.kind = Kind::OpenAt;
        listing.time = now;
    } else if (type == "AT_TRIM_HORIZON") {
        listing.kind = Kind::OpenAt;
        listing.time = horizon;
    } else if (type == "FROM_TRIM_HORIZON") {
        listing.kind = Kind::OpenAtOrAfter;
        listing.time = horizon;
    } else {
        if (!time)
            return invalid_argument(
                fmt::format("Timestamp must be specified when the filter type is {}.", type));
        if (*time > now) return invalid_argument("The filter's Timestamp lies in the future.");
        listing.kind = type == "AT_TIMESTAMP" ? Kind::OpenAt : Kind::OpenAtOrAfter;
        listing.time = std::max(*time, horizon);
    }
    return {};
}

ApiResult<Listing> continue_listing(const Call& call, std::string_view token) {
    for (const auto* other : {"StreamName", "StreamARN", "ExclusiveStartShardId",
                              "StreamCreationTimestamp", "ShardFilter"})
        if (call.input.find(other) != nullptr)
            return invalid_argument(
                fmt::format("NextToken and {} cannot be provided together.", other));
    auto listing = unseal(call.tokens, token);
    if (!listing) return invalid_argument("NextToken is not valid.");
    if (call.clock.wall_now() - listing->made > kTokenLife)
        return refuse("ExpiredNextTokenException", "NextToken has expired.");
    return std::move(*listing);
}

ApiResult<Listing> begin_listing(const Call& call, const StreamInfo& stream) {
    Listing listing;
    listing.stream = stream.uid;
    listing.name = stream.name;
    if (!is_created_at(call, stream)) return stream_not_found(call, stream.name);
    if (const Value* filter = call.input.find("ShardFilter"))
        if (auto status = apply_filter(*filter, stream, call.clock.wall_now(), listing); !status)
            return std::unexpected(status.error());
    if (const auto after = call.input.text_or("ExclusiveStartShardId", ""); !after.empty()) {
        const auto index = parse_shard_id(after);
        if (!index) return std::unexpected(find_shard(call, stream, after).error());
        listing.after = *index;
    }
    return listing;
}

}  // namespace

Task<ApiStatus> list_shards(Call& call) {
    const std::string_view token = call.input.text_or("NextToken", "");
    ApiResult<Listing> listing;
    StreamPtr stream;
    if (!token.empty()) {
        listing = continue_listing(call, token);
        if (!listing) co_return std::unexpected(listing.error());
        auto found = call.service.find_stream(listing->name);
        if (!found || (*found)->uid != listing->stream)
            co_return stream_not_found(call, listing->name);
        if (auto status = authorize_stream(call, **found); !status) co_return status;
        stream = std::move(*found);
    } else {
        if (call.input.find("StreamName") == nullptr && call.input.find("StreamARN") == nullptr)
            co_return invalid_argument("Either NextToken or StreamName should be provided.");
        auto found = find_stream(call);
        if (!found) co_return std::unexpected(found.error());
        stream = std::move(*found);
        listing = begin_listing(call, *stream);
        if (!listing) co_return std::unexpected(listing.error());
    }
    const auto limit = std::min(call.input.integer_or("MaxResults", kResultsMax), kResultsMax);
    DocumentWriter out = call.answer();
    out.begin_object().key("Shards").begin_array();
    std::int64_t count = 0;
    std::optional<std::uint32_t> last;
    bool has_more = false;
    for (const auto& shard : stream->shards) {
        if (!listing->lists(*stream, shard)) continue;
        if (count == limit) {
            has_more = true;
            break;
        }
        write_shard(out, shard);
        last = shard.index;
        ++count;
    }
    out.end_array();
    if (has_more) {
        listing->made = call.clock.wall_now();
        out.member("NextToken", seal(call.tokens, *listing, *last));
    }
    out.end_object();
    co_return ApiStatus{};
}

}  // namespace tidemill::kinesis
