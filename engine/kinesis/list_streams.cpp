// ListStreams.
#include "engine/kinesis/access.h"
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
    // One more than is shown, to know whether there are more.
    std::vector<const StreamInfo*> streams;
    auto at = after.empty() ? catalog->streams.begin() : catalog->streams.upper_bound(after);
    for (; at != catalog->streams.end() && std::ssize(streams) <= limit; ++at)
        if (is_owned_by(*at->second, call.caller.account, call.caller))
            streams.push_back(at->second.get());
    const bool has_more = std::ssize(streams) > limit;
    if (has_more) streams.pop_back();
    DocumentWriter out = call.answer();
    out.begin_object().key("StreamNames").begin_array();
    for (const StreamInfo* stream : streams)
        out.text(stream->name);
    out.end_array();
    out.member("HasMoreStreams", has_more);
    if (has_more && !streams.empty())
        out.member("NextToken", call.tokens.seal(kPurpose, as_bytes(streams.back()->name)));
    out.key("StreamSummaries").begin_array();
    for (const StreamInfo* shown : streams) {
        const StreamInfo& stream = *shown;
        out.begin_object();
        out.member("StreamName", stream.name);
        out.member("StreamARN", call.stream_arn(stream));
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
