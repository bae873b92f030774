#include "proto/record_batch.h"

#include <cstddef>

#include <fmt/format.h>

#include "engine/base/crc32c.h"
#include "proto/wire_limits.h"

namespace tidemill {
namespace {

constexpr std::size_t kHeaderBytes = sizeof(RecordBatchHeader);
constexpr std::size_t kProducerHalf = offsetof(RecordBatchHeader, payload_crc);
// An LZ4 sequence adds at most 255 bytes of match for each byte of its length.
constexpr std::size_t kLz4RatioMax = 255;
constexpr std::size_t kStampedPart = offsetof(RecordBatchHeader, header_crc);

std::uint32_t payload_crc(Bytes batch) {
    return crc32c(batch.subspan(kHeaderBytes), crc32c(batch.first(kProducerHalf)));
}

Status check_shape(const RecordBatchHeader& header, std::size_t available) {
    if (header.magic != kRecordBatchMagic)
        return fail(Errc::Corrupt, fmt::format("record batch begins with {:#010x}", header.magic));
    if (header.batch_bytes < kHeaderBytes || header.batch_bytes > available)
        return fail(Errc::Corrupt, fmt::format("record batch says {} bytes where {} are there",
                                               header.batch_bytes, available));
    const std::size_t bytes_max =
        header.key_id == 0 ? wire_limits::kBatchBytesMax : wire_limits::kStoredBatchBytesMax;
    if (header.batch_bytes > bytes_max)
        return fail(Errc::TooLarge, fmt::format("record batch of {} bytes; the limit is {}",
                                                header.batch_bytes, bytes_max));
    if ((header.flags & ~kBatchPacked) != 0)
        return fail(Errc::Corrupt, fmt::format("record batch with flags {:#x}", header.flags));
    const bool is_packed = header.flags == kBatchPacked;
    if (is_packed && header.arrival_ms > INT64_MAX - std::int64_t{UINT32_MAX})
        return fail(Errc::Corrupt, "record batch from the end of time");
    if (is_packed && (header.codec != 0 || header.key_id != 0 || header.producer_id != 0))
        return fail(Errc::Corrupt, "a packed record batch is plain and of no producer");
    if (header.codec > static_cast<std::uint8_t>(Codec::Zstd))
        return fail(Errc::Unsupported,
                    fmt::format("record batch of codec {}; known are 0 (none), 1 (lz4) and 2 "
                                "(zstd)",
                                header.codec));
    // A record takes at least its two length bytes, and in a packed batch one for its arrival.
    const std::size_t record_bytes_min = is_packed ? 3 : 2;
    if (header.record_count == 0 ||
        (header.codec == 0 &&
         header.record_count > (header.batch_bytes - kHeaderBytes) / record_bytes_min))
        return fail(Errc::Corrupt, fmt::format("record batch of {} bytes says {} records",
                                               header.batch_bytes, header.record_count));
    return {};
}

}  // namespace

std::size_t record_bytes(std::size_t key_bytes, std::size_t data_bytes,
                         std::size_t attribute_bytes) {
    const std::size_t attributes =
        attribute_bytes == 0 ? 0 : varint_size(attribute_bytes) + attribute_bytes;
    return varint_size(key_bytes << 1) + varint_size(data_bytes) + attributes + key_bytes +
           data_bytes;
}

Result<RecordBatchView> RecordBatchView::parse(Bytes bytes) {
    if (bytes.size() < kHeaderBytes)
        return fail(Errc::Corrupt, fmt::format("{} bytes are no record batch", bytes.size()));
    const RecordBatchView view = trusted(bytes);
    TRY(check_shape(view.header_, bytes.size()));
    if (view.header_.batch_bytes != bytes.size())
        return fail(Errc::Corrupt, fmt::format("{} bytes hold a record batch of {}", bytes.size(),
                                               view.header_.batch_bytes));
    if (view.header_.key_id != 0)
        return fail(Errc::InvalidArgument, "a producer's batch is plain; the broker encrypts it");
    if (view.is_packed())
        return fail(Errc::InvalidArgument, "a producer's batch is not packed; the log packs them");
    if (!view.payload_is_intact())
        return fail(Errc::Corrupt, "the record batch's checksum does not match its bytes");
    if (view.header_.codec != 0) TRY(compressed_records(view));
    return view;
}

Result<RecordBatchView> RecordBatchView::parse_stamped(Bytes bytes) {
    if (bytes.size() < kHeaderBytes)
        return fail(Errc::Corrupt, fmt::format("{} bytes are no record batch", bytes.size()));
    RecordBatchView view = trusted(bytes);
    if (crc32c(bytes.first(kStampedPart)) != view.header_.header_crc)
        return fail(Errc::Corrupt, "the record batch's header checksum does not match");
    TRY(check_shape(view.header_, bytes.size()));
    view.bytes_ = bytes.first(view.header_.batch_bytes);
    return view;
}

RecordBatchView RecordBatchView::trusted(Bytes bytes) {
    RecordBatchView view;
    view.header_ = load_le<RecordBatchHeader>(bytes.data());
    view.bytes_ = bytes;
    return view;
}

bool RecordBatchView::payload_is_intact() const {
    return payload_crc(bytes_) == header_.payload_crc;
}

Result<CompressedRecords> compressed_records(const RecordBatchView& batch) {
    const auto& header = batch.header();
    const Bytes payload = batch.bytes().subspan(kHeaderBytes);
    if (payload.size() <= kRecordsLengthBytes)
        return fail(Errc::Corrupt,
                    fmt::format("a compressed record batch of {} bytes", batch.bytes().size()));
    const CompressedRecords records{load_le<std::uint32_t>(payload.data()),
                                    payload.subspan(kRecordsLengthBytes)};
    const bool can_be = header.codec != static_cast<std::uint8_t>(Codec::Lz4) ||
                        records.records_bytes <= records.bytes.size() * kLz4RatioMax;
    if (records.records_bytes > wire_limits::kRecordsBytesMax || !can_be ||
        header.record_count > records.records_bytes / 2)
        return fail(Errc::Corrupt,
                    fmt::format("a compressed record batch of {} bytes says {} records of {} bytes",
                                batch.bytes().size(), header.record_count, records.records_bytes));
    return records;
}

RecordCursor::RecordCursor(const RecordBatchView& batch)
    : RecordCursor(batch, batch.bytes().subspan(kHeaderBytes)) {
    if (batch.header().key_id != 0)
        status_ = fail(Errc::Unsupported, "this batch is encrypted; only the broker opens it");
    else if (batch.header().codec != 0)
        status_ = fail(Errc::Unsupported, "this batch is compressed; open it first");
    if (!status_) remaining_ = 0;
}

RecordCursor::RecordCursor(const RecordBatchView& batch, Bytes records)
    : at_(records.data()),
      end_(records.data() + records.size()),
      remaining_(batch.record_count()),
      is_packed_(batch.is_packed()),
      span_left_ms_(batch.header().arrival_span_ms),
      next_ordinal_(batch.first_ordinal()),
      arrival_ms_(batch.header().arrival_ms) {}

RecordCursor::RecordCursor(const RecordBatchView& batch, std::unexpected<Error> error)
    : next_ordinal_(batch.first_ordinal()),
      arrival_ms_(batch.header().arrival_ms),
      status_(std::move(error)) {}

bool RecordCursor::stop(std::string_view what) {
    status_ = fail(Errc::Corrupt, fmt::format("record {} {}", next_ordinal_, what));
    remaining_ = 0;
    at_ = end_;
    return false;
}

bool RecordCursor::next(RecordView& record) {
    if (remaining_ == 0) {
        if (at_ != end_ && status_) status_ = fail(Errc::Corrupt, "bytes after the last record");
        at_ = end_;
        return false;
    }
    std::uint64_t key = 0, data = 0, attributes = 0;
    if (is_packed_) {
        std::uint64_t later = 0;
        at_ = get_varint(at_, end_, later);
        if (at_ == nullptr) return stop("runs past its batch");
        if (later > span_left_ms_ || (remaining_ == 1 && later != span_left_ms_))
            return stop("has an arrival that does not fit its batch");
        span_left_ms_ -= static_cast<std::uint32_t>(later);
        // A header that nobody checked may stand at the end of time.
        arrival_ms_ = static_cast<std::int64_t>(static_cast<std::uint64_t>(arrival_ms_) + later);
    }
    record_ = at_;
    const std::byte* at = get_varint(at_, end_, key);
    if (at != nullptr) at = get_varint(at, end_, data);
    if (at != nullptr && (key & 1) != 0) at = get_varint(at, end_, attributes);
    key >>= 1;
    const auto left = static_cast<std::uint64_t>(at == nullptr ? 0 : end_ - at);
    if (at == nullptr || key > left || attributes > left - key || data > left - key - attributes)
        return stop("runs past its batch");
    record.attributes = {at, attributes};
    at += attributes;
    record.partition_key = as_text({at, key});
    at += key;
    record.data = {at, data};
    at_ = at + data;
    --remaining_;
    ++next_ordinal_;
    return true;
}

RecordBatchBuilder::RecordBatchBuilder() { clear(); }

void RecordBatchBuilder::clear() {
    buffer_.resize(kHeaderBytes);
    count_ = 0;
}

void RecordBatchBuilder::add(std::string_view partition_key, Bytes data, Bytes attributes) {
    const std::size_t before = buffer_.size();
    buffer_.resize(before + record_bytes(partition_key.size(), data.size(), attributes.size()));
    std::byte* at = buffer_.data() + before;
    const auto copy = [&at](Bytes bytes) {
        if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
        at += bytes.size();
    };
    at = put_varint(at, partition_key.size() << 1 | (attributes.empty() ? 0u : 1u));
    at = put_varint(at, data.size());
    if (!attributes.empty()) at = put_varint(at, attributes.size());
    copy(attributes);
    copy(as_bytes(partition_key));
    copy(data);
    ++count_;
}

RecordBatchView RecordBatchBuilder::finish(std::uint64_t producer_id,
                                           std::uint32_t producer_sequence) {
    RecordBatchHeader header{};
    header.magic = kRecordBatchMagic;
    header.batch_bytes = static_cast<std::uint32_t>(buffer_.size());
    header.record_count = count_;
    header.producer_id = producer_id;
    header.producer_sequence = producer_sequence;
    store_le(buffer_.data(), header);
    reseal_record_batch(buffer_);
    return RecordBatchView::trusted(buffer_);
}

void reseal_record_batch(MutableBytes batch) {
    auto header = load_le<RecordBatchHeader>(batch.data());
    header.payload_crc = payload_crc(batch);
    store_le(batch.data(), header);
}

void stamp_record_batch(MutableBytes batch, ShardUid shard, Ordinal first, WallTime arrival,
                        std::uint32_t epoch, std::uint32_t arrival_span_ms) {
    auto header = load_le<RecordBatchHeader>(batch.data());
    header.shard = shard.value;
    header.first_ordinal = first;
    header.arrival_ms = to_millis(arrival);
    header.epoch = epoch;
    header.arrival_span_ms = arrival_span_ms;
    store_le(batch.data(), header);
    header.header_crc = crc32c(Bytes{batch}.first(kStampedPart));
    store_le(batch.data(), header);
}

}  // namespace tidemill
