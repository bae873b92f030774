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
    const std::size_t longest = batch.bytes().size() + other.record_count * kArrivalBytesMax;
    if (batch.bytes().size() > kPackBelowBytes || buffer_.size() + longest > kPackedBytesMax)
        return false;
    if (!is_empty() && !follows(batch)) return false;

    const std::size_t before = buffer_.size();
    std::int64_t last = is_empty() ? other.arrival_ms : last_arrival_ms_;
    buffer_.resize(before + longest);
    std::byte* at = buffer_.data() + before;
    RecordCursor cursor(batch);
    for (RecordView record; cursor.next(record);) {
        const std::int64_t arrival = to_millis(cursor.arrival());
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
        header_.first_ordinal = other.first_ordinal;
        header_.arrival_ms = other.arrival_ms;
    }
    header_.record_count += other.record_count;
    last_arrival_ms_ = last;
    ++batches_;
    return true;
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
