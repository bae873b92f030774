#include "engine/kinesis/records_document.h"

#include <algorithm>

#include "engine/kinesis/shard_document.h"
#include "engine/kinesis/stream_document.h"
#include "engine/reactor/reactor.h"
#include "engine/service/sequence.h"

namespace tidemill::kinesis {
namespace {

class RecordsWriter {
 public:
    RecordsWriter(DocumentWriter& out, const ShardInfo& shard, Ordinal from, RecordsLimit limit)
        : out_(out), shard_(shard), limit_(limit) {
        written_.next = from;
    }

    /// Errors: Corrupt, Unsupported: `batch` holds no records from `next` on. The answer is as if
    /// it ended there, and `next` is behind it. `encryption`: of its records, unless it goes
    /// without saying.
    Status add(const RecordBatchView& batch, BatchOpener& opener, std::string_view encryption) {
        RecordCursor cursor = opener.open(batch);
        RecordView record;
        while (!is_full() && cursor.next(record)) {
            if (cursor.ordinal() < written_.next) continue;
            const std::size_t size = record.data.size() + record.partition_key.size();
            if (written_.bytes > 0 && written_.bytes + size > limit_.bytes) {
                limit_.records = written_.count;
                break;
            }
            write(record, cursor.ordinal(), cursor.arrival(), encryption);
            written_.bytes += size;
            ++written_.count;
            written_.next = cursor.ordinal() + 1;
        }
        if (!cursor.status()) written_.next = std::max(written_.next, batch.end_ordinal());
        return cursor.status();
    }

    bool is_full() const { return written_.count == limit_.records; }

    WrittenRecords finish(const ReadResult& read) {
        // Not cut short by a limit: the log knows how far it looked, beyond records that have
        // expired.
        if (!is_full()) written_.next = std::max(written_.next, read.next);
        if (written_.next < read.tail.end) {
            const WallTime now = Reactor::current().clock().wall_now();
            const auto behind = now - written_.last_arrival.value_or(now);
            written_.millis_behind = std::max<std::int64_t>(1, behind.count());
        }
        return written_;
    }

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
        written_.last_arrival = arrival;
    }

    DocumentWriter& out_;
    const ShardInfo& shard_;
    RecordsLimit limit_;
    WrittenRecords written_;
};

void complain(BatchReading& reading, std::string_view stream, const ShardInfo& shard,
              const RecordBatchView& batch, const Error& error) {
    ++reading.unreadable_batches;
    if (!reading.complaints.allow(Reactor::current().clock().mono_now())) return;
    log::error("unreadable_batch", {{"stream", stream},
                                    {"shard", shard_id_text(shard.index)},
                                    {"first_ordinal", batch.first_ordinal()},
                                    {"records", batch.record_count()},
                                    {"producer_id", batch.header().producer_id},
                                    {"suppressed", reading.complaints.suppressed()},
                                    {"error", error}});
}

}  // namespace

std::size_t bytes_of(const ReadResult& read) {
    std::size_t bytes = 0;
    for (const auto& batch : read.batches)
        bytes += batch.bytes.size();
    return bytes;
}

WrittenRecords write_records(DocumentWriter& out, const StreamInfo& stream, const ShardInfo& shard,
                             const ReadResult& read, Ordinal from, RecordsLimit limit,
                             BatchReading& reading) {
    out.key("Records").begin_array();
    RecordsWriter writer(out, shard, from, limit);
    // Streams that were never encrypted need not say so with each record.
    const bool says_encryption = !stream.encryption.keys.empty();
    for (std::size_t i = 0; i < read.batches.size() && !writer.is_full(); ++i) {
        const auto batch = RecordBatchView::trusted(read.batches[i].bytes);
        const bool is_sealed = i < read.key_ids.size() && read.key_ids[i] != 0;
        const auto encryption = says_encryption ? encryption_text(is_sealed) : std::string_view{};
        if (const Status status = writer.add(batch, reading.opener, encryption); !status)
            complain(reading, stream.name, shard, batch, status.error());
    }
    out.end_array();
    return writer.finish(read);
}

}  // namespace tidemill::kinesis
