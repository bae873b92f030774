// RegisterStreamConsumer, DeregisterStreamConsumer, DescribeStreamConsumer, ListStreamConsumers.
#include <algorithm>

#include <fmt/format.h>

#include "engine/kinesis/error_map.h"
#include "engine/kinesis/operations.h"
#include "engine/kinesis/resource.h"
#include "engine/kinesis/tag_members.h"

namespace tidemill::kinesis {
namespace {

constexpr std::string_view kPurpose = "ListStreamConsumers";
constexpr std::int64_t kDefaultResults = 100;
constexpr auto kTokenLife = std::chrono::seconds(300);

/// Consumers are ready as soon as they are known, and gone as soon as they are not.
void write_members(DocumentWriter& out, const Call& call, const StreamInfo& stream,
                   const ConsumerInfo& consumer) {
    out.member("ConsumerName", consumer.name);
    out.member("ConsumerARN", consumer_arn(call, stream, consumer));
    out.member("ConsumerStatus", std::string_view("ACTIVE"));
    out.member("ConsumerCreationTimestamp", consumer.created);
}

/// Where a listing goes on: what NextToken carries.
struct Listing {
    WallTime made{};
    StreamUid stream;
    std::string after;  ///< the name of the last consumer listed
};

constexpr std::size_t kFixedBytes = 12;  // made, stream; then the name

std::string seal(const TokenSealer& tokens, const Listing& listing) {
    std::vector<std::byte> facts(kFixedBytes);
    store_le(&facts[0], to_millis(listing.made));
    store_le(&facts[8], listing.stream.value);
    const Bytes name = as_bytes(listing.after);
    facts.insert(facts.end(), name.begin(), name.end());
    return tokens.seal(kPurpose, facts);
}

/// Where to begin: behind that name. Errors: InvalidArgumentException, ExpiredNextTokenException.
ApiResult<std::string> continue_after(const Call& call, const StreamInfo& stream,
                                      std::string_view token) {
    if (call.input.find("StreamCreationTimestamp") != nullptr)
        return invalid_argument(
            "NextToken and StreamCreationTimestamp cannot be provided together.");
    const auto facts = call.tokens.open(kPurpose, token);
    if (!facts || facts->size() < kFixedBytes ||
        load_le<std::uint32_t>(facts->data() + 8) != stream.uid.value)
        return invalid_argument("NextToken is not valid.");
    const auto made = from_millis(load_le<std::int64_t>(facts->data()));
    if (call.clock.wall_now() - made > kTokenLife)
        return refuse("ExpiredNextTokenException", "NextToken has expired.");
    return std::string(as_text(Bytes(*facts).subspan(kFixedBytes)));
}

}  // namespace

Task<ApiStatus> register_stream_consumer(Call& call) {
    const auto found = find_stream(call);
    if (!found) co_return std::unexpected(found.error());
    const StreamPtr stream = *found;
    std::string name(call.input.text_or("ConsumerName", ""));
    auto made = co_await call.service.register_consumer(stream->name, name, tags_of(call.input));
    if (!made && made.error().code == Errc::AlreadyExists)
        co_return refuse("ResourceInUseException",
                         fmt::format("Consumer {} under stream {} under account {} already exists.",
                                     name, stream->name, call.caller.account));
    if (!made) co_return stream_failure(call, stream->name, made.error());
    DocumentWriter out = call.answer();
    out.begin_object().key("Consumer").begin_object();
    write_members(out, call, *stream, *made);
    out.end_object().end_object();
    co_return ApiStatus{};
}

Task<ApiStatus> deregister_stream_consumer(Call& call) {
    const auto found = find_consumer(call);
    if (!found) co_return std::unexpected(found.error());
    const Status gone = co_await call.service.deregister_consumer(found->consumer_ref());
    if (!gone) co_return resource_failure(call, *found, gone.error());
    co_return ApiStatus{};
}

Task<ApiStatus> describe_stream_consumer(Call& call) {
    const auto found = find_consumer(call);
    if (!found) co_return std::unexpected(found.error());
    DocumentWriter out = call.answer();
    out.begin_object().key("ConsumerDescription").begin_object();
    write_members(out, call, *found->stream, *found->consumer);
    out.member("StreamARN", call.stream_arn(*found->stream));
    out.end_object().end_object();
    co_return ApiStatus{};
}

Task<ApiStatus> list_stream_consumers(Call& call) {
    const auto found = find_stream(call);
    if (!found) co_return std::unexpected(found.error());
    const StreamInfo& stream = **found;
    std::string after;
    if (const auto token = call.input.text_or("NextToken", ""); !token.empty()) {
        auto begun = continue_after(call, stream, token);
        if (!begun) co_return std::unexpected(begun.error());
        after = std::move(*begun);
    } else if (!is_created_at(call, stream)) {
        co_return stream_not_found(call, stream.name);
    }
    const auto limit = call.input.integer_or("MaxResults", kDefaultResults);
    auto at = std::ranges::upper_bound(stream.consumers, after, {}, &ConsumerInfo::name);
    DocumentWriter out = call.answer();
    out.begin_object().key("Consumers").begin_array();
    for (std::int64_t i = 0; i < limit && at != stream.consumers.end(); ++i, ++at) {
        out.begin_object();
        write_members(out, call, stream, *at);
        out.end_object();
    }
    out.end_array();
    if (at != stream.consumers.end())
        out.member("NextToken",
                   seal(call.tokens, {call.clock.wall_now(), stream.uid, std::prev(at)->name}));
    out.end_object();
    co_return ApiStatus{};
}

}  // namespace tidemill::kinesis
