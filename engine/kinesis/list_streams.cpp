// ListStreams.
#include "engine/kinesis/operations.h"
#include "engine/kinesis/shard_document.h"

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
    DocumentWriter out = call.answer();
    out.begin_object().key("StreamNames").begin_array();
    for (std::int64_t i = 0; i < limit && end != catalog->streams.end(); ++i, ++end)
        out.text(end->first);
    out.end_array();
    const bool has_more = end != catalog->streams.end();
    out.member("HasMoreStreams", has_more);
    if (has_more && begin != end)
        out.member("NextToken", call.tokens.seal(kPurpose, as_bytes(std::prev(end)->first)));
    out.key("StreamSummaries").begin_array();
    for (auto at = begin; at != end; ++at) {
        const StreamInfo& stream = *at->second;
        out.begin_object();
        out.member("StreamName", stream.name);
        out.member("StreamARN", call.stream_arn(stream.name));
        out.member("StreamStatus", status_text(stream.status));
        out.key("StreamModeDetails").begin_object();
        out.member("StreamMode", mode_text(stream.mode)).end_object();
        out.member("StreamCreationTimestamp", stream.created);
        out.end_object();
    }
    out.end_array().end_object();
    co_return ApiStatus{};
}

}  // namespace tidemill::kinesis
