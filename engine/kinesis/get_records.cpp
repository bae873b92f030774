// GetRecords.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "engine/aws/document_writer.h"
#include "engine/kinesis/access.h"
#include "engine/kinesis/error_map.h"
#include "engine/kinesis/operations.h"
#include "engine/kinesis/shard_document.h"
#include "engine/kinesis/stream_document.h"
#include "engine/service/sequence.h"
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

/// Writes records into an answer up to its limits.
class AnswerWriter {
 public:
    AnswerWriter(DocumentWriter& out, const ShardInfo& shard, Ordinal from, std::int64_t limit)
        : out_(out), shard_(shard), next_(from), records_left_(limit) {}

    /// Errors: Corrupt, Unsupported: `batch` holds no records from `next` on. The answer is as if
    /// it ended there, and `next` is behind it. `encryption`: of its records, unless it goes
    /// without saying.
    Status add(const RecordBatchView& batch, BatchOpener& opener, std::string_view encryption) {
        RecordCursor cursor = opener.open(batch);
        RecordView record;
        while (records_left_ > 0 && cursor.next(record)) {
            if (cursor.ordinal() < next_) continue;
            const std::size_t size = record.data.size() + record.partition_key.size();
            if (bytes_ > 0 && bytes_ + size > kAnswerBytesMax) {
                records_left_ = 0;
                break;
            }
            write(record, cursor.ordinal(), cursor.arrival(), encryption);
            bytes_ += size;
            --records_left_;
            next_ = cursor.ordinal() + 1;
        }
        if (!cursor.status()) next_ = std::max(next_, batch.end_ordinal());
        return cursor.status();
    }

    bool is_full() const { return records_left_ == 0; }
    std::size_t bytes() const { return bytes_; }
    Ordinal next() const { return next_; }
    std::optional<WallTime> last_arrival() const { return last_arrival_; }

 private:
    void write(const RecordView& record, Ordinal ordinal, WallTime arrival,
               std::string_view encryption) {
        out_.begin_object();
        out_.key("SequenceNumber").plain_text(sequence_of(shard_, ordinal, arrival).to_string());
        out_.key("ApproximateArrivalTimestamp").time(arrival);
        out_.key("Data").blob(record.data);
        if (!record.partition_key.empty()) out_.key("PartitionKey").text(record.partition_key);
        if (!encryption.empty()) out_.key("EncryptionType").plain_text(encryption);
        out_.end_object();
        last_arrival_ = arrival;
    }

    DocumentWriter& out_;
    const ShardInfo& shard_;
    Ordinal next_;
    std::int64_t records_left_;
    std::size_t bytes_ = 0;
    std::optional<WallTime> last_arrival_;
};

/// Its checksum is right, so its producer wrote it so: an error would hold all readers of the shard
/// up for ever, and the API has no word for it.
void complain(Call& call, std::string_view stream, const ShardInfo& shard,
              const RecordBatchView& batch, const Error& error) {
    BatchReading& reading = call.reading;
    ++reading.unreadable_batches;
    if (!reading.complaints.allow(call.clock.mono_now())) return;
    log::error("unreadable_batch", {{"stream", stream},
                                    {"shard", shard_id_text(shard.index)},
                                    {"first_ordinal", batch.first_ordinal()},
                                    {"records", batch.record_count()},
                                    {"producer_id", batch.header().producer_id},
                                    {"suppressed", reading.complaints.suppressed()},
                                    {"error", error}});
}

void write_children(DocumentWriter& out, const StreamInfo& stream, const ShardInfo& parent) {
    out.key("ChildShards").begin_array();
    for (const auto& child : stream.shards) {
        if (child.parent != parent.index && child.adjacent_parent != parent.index) continue;
        out.begin_object();
        out.key("ShardId").plain_text(shard_id_text(child.index));
        out.key("ParentShards").begin_array();
        out.plain_text(shard_id_text(*child.parent));
        if (child.adjacent_parent) out.plain_text(shard_id_text(*child.adjacent_parent));
        out.end_array();
        write_hash_range(out, child.range);
        out.end_object();
    }
    out.end_array();
}

bool has_children(const StreamInfo& stream, const ShardInfo& parent) {
    for (const auto& child : stream.shards)
        if (child.parent == parent.index || child.adjacent_parent == parent.index) return true;
    return false;
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
    if (limits_kept != nullptr && !co_await limits_kept->admit_read(shard->uid))
        co_return refuse("ProvisionedThroughputExceededException",
                         shard_rate_exceeded(call, stream, *shard));
    const std::int64_t limit = call.input.integer_or("Limit", kRecordsMax);
    const ReadLimits limits{kAnswerBytesMax, static_cast<std::uint64_t>(limit)};
    const auto read = co_await call.service.read(shard->uid, iterator->next, limits);
    if (!read) co_return stream_failure(call, stream.name, read.error());

    std::size_t bytes = 0;
    for (const auto& batch : read->batches)
        bytes += batch.bytes.size();
    call.output.reserve(bytes / 2 * 3 + 512);
    DocumentWriter out = call.answer();
    out.begin_object().key("Records").begin_array();
    AnswerWriter answer(out, *shard, iterator->next, limit);
    // Streams that were never encrypted need not say so with each record.
    const bool says_encryption = !stream.encryption.keys.empty();
    for (std::size_t i = 0; i < read->batches.size() && !answer.is_full(); ++i) {
        const auto batch = RecordBatchView::trusted(read->batches[i].bytes);
        const bool is_sealed = i < read->key_ids.size() && read->key_ids[i] != 0;
        const auto encryption = says_encryption ? encryption_text(is_sealed) : std::string_view{};
        if (const Status status = answer.add(batch, call.reading.opener, encryption); !status)
            complain(call, stream.name, *shard, batch, status.error());
    }
    out.end_array();
    if (limits_kept != nullptr) co_await limits_kept->charge_read(shard->uid, answer.bytes());
    // Not cut short by a limit: the log knows how far it looked, beyond records that have expired.
    const Ordinal next = answer.is_full() ? answer.next() : std::max(answer.next(), read->next);

    // The rule that KCL insists on: no next iterator if and only if there are children.
    const bool is_finished =
        !shard->is_open() && next >= shard->end_ordinal && has_children(stream, *shard);
    if (!is_finished) {
        iterator->next = next;
        iterator->created = now;
        out.key("NextShardIterator").plain_text(seal_iterator(call.tokens, *iterator));
    }
    const bool is_at_tip = next >= read->tail.end;
    const auto behind = is_at_tip ? 0 : (now - answer.last_arrival().value_or(now)).count();
    out.member("MillisBehindLatest", std::max<std::int64_t>(is_at_tip ? 0 : 1, behind));
    if (is_finished) write_children(out, stream, *shard);
    out.end_object();
    co_return ApiStatus{};
}

}  // namespace tidemill::kinesis
