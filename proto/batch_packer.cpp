#include "proto/batch_packer.h"

#include <cstring>

#include "engine/base/check.h"

namespace tidemill {
namespace {

/// A delta is at most a span, which has 32 bits.
constexpr std::size_t kArrivalBytesMax = 5;

}  // namespace

void BatchPacker::clear() {
    buffer_.resize(sizeof(RecordBatchHeader));
    header_ = {};
    batches_ = 0;
}

bool BatchPacker::follows(const RecordBatchView& batch) const {
    const auto& other = batch.header();
    return other.shard == header_.shard && other.epoch == header_.epoch &&
           other.first_ordinal == header_.first_ordinal + header_.record_count &&
           other.arrival_ms >= last_arrival_ms_ &&
           to_millis(batch.last_arrival()) - header_.arrival_ms <= std::int64_t{UINT32_MAX};
}

bool BatchPacker::try_add(const RecordBatchView& batch) {
    const auto& other = batch.header();
    if (other.codec != static_cast<std::uint8_t>(Codec::None) || other.key_id != 0) return false;
    if (other.record_count > kPackRecordsMax && !batch.is_packed()) return false;
    const std::size_t longest = batch.bytes().size() + other.record_count * kArrivalBytesMax;
    if (batch.bytes().size() > kPackBelowBytes || buffer_.size() + longest > kPackedBytesMax)
        return false;
    if (!is_empty() && !follows(batch)) return false;
    return take(batch, other.first_ordinal);
}

/// Its records from ordinal `first` on.
bool BatchPacker::take(const RecordBatchView& batch, Ordinal first) {
    const auto& other = batch.header();
    const std::size_t before = buffer_.size();
    std::int64_t last = last_arrival_ms_;
    std::uint32_t count = 0;
    buffer_.resize(before + batch.bytes().size() + other.record_count * kArrivalBytesMax);
    std::byte* at = buffer_.data() + before;
    RecordCursor cursor(batch);
    for (RecordView record; cursor.next(record);) {
        if (cursor.ordinal() < first) continue;
        const std::int64_t arrival = to_millis(cursor.arrival());
        if (is_empty() && count == 0) header_.arrival_ms = last = arrival;
        ++count;
        at = put_varint(at, static_cast<std::uint64_t>(arrival - last));
        last = arrival;
        const Bytes encoded = cursor.encoded();
        std::memcpy(at, encoded.data(), encoded.size());
        at += encoded.size();
    }
    if (!cursor.status()) {
        buffer_.resize(before);
        return false;
    }
    buffer_.resize(static_cast<std::size_t>(at - buffer_.data()));
    if (is_empty()) {
        header_.shard = other.shard;
        header_.epoch = other.epoch;
        header_.first_ordinal = first;
    }
    header_.record_count += count;
    last_arrival_ms_ = last;
    ++batches_;
    return true;
}

std::optional<RecordBatchView> BatchPacker::cut_front(const RecordBatchView& batch, Ordinal first) {
    clear();
    if (first < batch.first_ordinal() || first >= batch.end_ordinal()) return std::nullopt;
    if (!take(batch, first)) return std::nullopt;
    return finish();
}

RecordBatchView BatchPacker::finish() {
    TM_CHECK(!is_empty(), "nothing to pack");
    header_.magic = kRecordBatchMagic;
    header_.batch_bytes = static_cast<std::uint32_t>(buffer_.size());
    header_.flags = kBatchPacked;
    store_le(buffer_.data(), header_);
    reseal_record_batch(buffer_);
    stamp_record_batch(buffer_, ShardUid{header_.shard}, header_.first_ordinal,
                       from_millis(header_.arrival_ms), header_.epoch,
                       static_cast<std::uint32_t>(last_arrival_ms_ - header_.arrival_ms));
    return RecordBatchView::trusted(buffer_);
}

}  // namespace tidemill
