// ListStreams.
#include "engine/kinesis/operations.h"
#include "engine/kinesis/shard_json.h"

namespace tidemill::kinesis {
namespace {

constexpr std::string_view kPurpose = "ListStreams";
constexpr std::int64_t kDefaultLimit = 100;

}  // namespace

Task<ApiStatus> list_streams(Call& call) {
    std::string after(call.input.text_or("ExclusiveStartStreamName", ""));
    if (const auto token = call.input.text_or("NextToken", ""); !token.empty()) {
        const auto facts = call.tokens.open(kPurpose, token);
        if (!facts) co_return invalid_argument("NextToken is not valid.");
        after = as_text(*facts);
    }
    const auto limit = call.input.integer_or("Limit", kDefaultLimit);
    const auto catalog = call.service.catalog();
    const auto begin =
        after.empty() ? catalog->streams.begin() : catalog->streams.upper_bound(after);
    auto end = begin;
    JsonWriter json(call.output);
    json.begin_object().key("StreamNames").begin_array();
    for (std::int64_t i = 0; i < limit && end != catalog->streams.end(); ++i, ++end)
        json.text(end->first);
    json.end_array();
    const bool has_more = end != catalog->streams.end();
    json.member("HasMoreStreams", has_more);
    if (has_more && begin != end)
        json.member("NextToken", call.tokens.seal(kPurpose, as_bytes(std::prev(end)->first)));
    json.key("StreamSummaries").begin_array();
    for (auto at = begin; at != end; ++at) {
        const StreamInfo& stream = *at->second;
        json.begin_object();
        json.member("StreamName", stream.name);
        json.member("StreamARN", call.stream_arn(stream.name));
        json.member("StreamStatus", status_text(stream.status));
        json.key("StreamModeDetails").begin_object();
        json.member("StreamMode", mode_text(stream.mode)).end_object();
        json.member("StreamCreationTimestamp", stream.created);
        json.end_object();
    }
    json.end_array().end_object();
    co_return ApiStatus{};
}

}  // namespace tidemill::kinesis
