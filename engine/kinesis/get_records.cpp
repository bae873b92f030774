// GetRecords.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "engine/aws/document_writer.h"
#include "engine/kinesis/access.h"
#include "engine/kinesis/error_map.h"
#include "engine/kinesis/operations.h"
#include "engine/kinesis/records_document.h"
#include "engine/kinesis/shard_document.h"
#include "engine/kinesis/stream_document.h"
#include "engine/service/service_limits.h"
#include "engine/service/shard_iterator.h"

namespace tidemill::kinesis {
namespace {

constexpr std::int64_t kRecordsMax = 10'000;
constexpr std::size_t kAnswerBytesMax = 10_MiB;  // of data and keys

/// "Thu Jan 22 01:22:02 UTC 2015"
std::string java_date(WallTime time) {
    return fmt::format("{:%a %b %d %H:%M:%S UTC %Y}",
                       fmt::gmtime(static_cast<std::time_t>(to_millis(time) / 1000)));
}

std::unexpected<ApiError> expired(const ShardIterator& iterator, WallTime now) {
    const auto life = std::chrono::milliseconds(service_limits::kIteratorLife).count();
    return refuse(
        "ExpiredIteratorException",
        fmt::format("Iterator expired. The iterator was created at time {} while right now it is "
                    "{} which is further in the future than the tolerated delay of {} "
                    "milliseconds.",
                    java_date(iterator.created), java_date(now), life));
}

}  // namespace

Task<ApiStatus> get_records(Call& call) {
    auto iterator = open_iterator(call.tokens, call.input.text_or("ShardIterator", ""));
    if (!iterator) co_return invalid_argument("Invalid ShardIterator.");
    if (const auto arn = call.input.text_or("StreamARN", ""); !arn.empty()) {
        const auto named = find_stream(call, "", arn);
        if (!named) co_return std::unexpected(named.error());
        if ((*named)->uid != iterator->stream) co_return invalid_argument("Invalid ShardIterator.");
    }
    const WallTime now = call.clock.wall_now();
    if (iterator->is_expired(now)) co_return expired(*iterator, now);
    const auto found = call.service.find_stream(iterator->stream_name);
    if (!found || (*found)->uid != iterator->stream)
        co_return stream_not_found(call, iterator->stream_name);
    const StreamInfo& stream = **found;
    if (auto status = authorize_stream(call, stream); !status) co_return status;
    const ShardInfo* shard = stream.shard_by_index(iterator->shard_index);
    if (shard == nullptr || shard->uid != iterator->shard)
        co_return invalid_argument("Invalid ShardIterator.");
    if (call.input.boolean_or("DryRun", false))
        co_return refuse("DryRunOperationException", "The request would have succeeded.");

    RateLimits* const limits_kept = call.service.limits();
    if (limits_kept != nullptr && !co_await limits_kept->admit_read(shard->uid)) {
        if (auto* counts = call.service.shard_counts(shard->uid)) ++counts->reads_refused;
        co_return refuse("ProvisionedThroughputExceededException",
                         shard_rate_exceeded(call, stream, *shard));
    }
    const std::int64_t limit = call.input.integer_or("Limit", kRecordsMax);
    const ReadLimits limits{kAnswerBytesMax, static_cast<std::uint64_t>(limit)};
    const auto read = co_await call.service.read(shard->uid, iterator->next, limits);
    if (!read) co_return stream_failure(call, stream.name, read.error());

    call.output.reserve(bytes_of(*read) / 2 * 3 + 512);
    DocumentWriter out = call.answer();
    out.begin_object();
    const RecordsLimit most{kAnswerBytesMax, static_cast<std::uint64_t>(limit)};
    const auto written =
        write_records(out, stream, *shard, *read, iterator->next, most, call.reading);
    if (limits_kept != nullptr) co_await limits_kept->charge_read(shard->uid, written.bytes);
    if (auto* counts = call.service.shard_counts(shard->uid)) {
        counts->count_read(written.count, written.bytes);
        counts->last_read = call.clock.mono_now();
        const auto age = now - written.last_arrival.value_or(now);
        counts->iterator_age = std::max(age, std::chrono::milliseconds{});
    }

    // The rule that KCL insists on: no next iterator if and only if there are children.
    const bool is_finished =
        !shard->is_open() && written.next >= shard->end_ordinal && has_children(stream, *shard);
    if (!is_finished) {
        iterator->next = written.next;
        iterator->created = now;
        out.key("NextShardIterator").plain_text(seal_iterator(call.tokens, *iterator));
    }
    out.member("MillisBehindLatest", written.millis_behind);
    if (is_finished) write_children(out, stream, *shard);
    out.end_object();
    co_return ApiStatus{};
}

}  // namespace tidemill::kinesis
