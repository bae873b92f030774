#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/ids.h"
#include "engine/base/result.h"
#include "engine/base/time.h"

namespace tidemill {

/// A run of records of one shard: the same bytes in the producer's socket, on disk, in the tail
/// cache and in the consumer's socket. Format: docs/formats/record_batch.md.
///
/// The producer fills the first half of the header and the records; `payload_crc` covers both. The
/// broker stamps the second half, which `header_crc` covers together with the first: stamping
/// touches 64 bytes, never the records.
struct RecordBatchHeader {
    // by the producer
    std::uint32_t magic;         ///< kRecordBatchMagic
    std::uint32_t batch_bytes;   ///< header and records
    std::uint32_t record_count;  ///< at least 1
    std::uint8_t codec;          ///< Codec
    std::uint8_t flags;          ///< kBatch...; readers refuse bits they do not know
    std::uint16_t key_id;        ///< data key of an encrypted payload, 0 when plain; by the broker
    std::uint64_t producer_id;   ///< 0: not idempotent
    std::uint32_t producer_sequence;  ///< number of the first record within (producer, shard)
    std::uint32_t payload_crc;  ///< CRC32C of bytes [0, 28) and of everything after the header
    // by the broker
    std::uint64_t first_ordinal;
    std::int64_t arrival_ms;        ///< wall time, never decreasing within a shard
    std::uint32_t shard;            ///< ShardUid
    std::uint32_t epoch;            ///< ownership under which it was written
    std::uint32_t arrival_span_ms;  ///< of a packed batch: last arrival minus arrival_ms; else 0
    std::uint32_t header_crc;       ///< CRC32C of bytes [0, 60)
};
static_assert(sizeof(RecordBatchHeader) == 64);

constexpr std::uint32_t kRecordBatchMagic = 0x31424d54;  // "TMB1"
/// Packed: each record begins with its own arrival. Only the log makes such batches
/// (proto/batch_packer.h); they are plain and of no producer.
constexpr std::uint8_t kBatchPacked = 1;
enum class Codec : std::uint8_t { None = 0, Lz4 = 1, Zstd = 2 };
/// Bit N: codec N. What a broker of this version tells its clients in Hello.
constexpr std::uint32_t kKnownCodecs = 0b111;
/// What stands between the header and the compressed bytes: how long the records are, a u32.
constexpr std::size_t kRecordsLengthBytes = 4;

/// One record inside a batch. Views into the batch.
struct RecordView {
    std::string_view partition_key;
    Bytes data;
    Bytes attributes;  ///< opaque to the broker, empty when absent
};

/// Reads a batch. Ownership: views the bytes it was given.
class RecordBatchView {
 public:
    RecordBatchView() = default;

    /// Checks length, magic, counts and the payload's checksum; of a compressed batch also the
    /// length of its records, without opening it. For batches fresh from a producer. Errors:
    /// Corrupt, TooLarge, Unsupported (an unknown codec), InvalidArgument (it says that it is
    /// encrypted, or packed).
    static Result<RecordBatchView> parse(Bytes bytes);
    /// Checks the header's own checksum and length only; the payload's on demand by
    /// `payload_is_intact`. For batches that the broker stamped. `bytes` may be longer than the
    /// batch. Errors: Corrupt, Unsupported.
    static Result<RecordBatchView> parse_stamped(Bytes bytes);
    /// Trusts `bytes`: a batch this process has just built or verified.
    static RecordBatchView trusted(Bytes bytes);

    const RecordBatchHeader& header() const { return header_; }
    Bytes bytes() const { return bytes_; }
    std::uint32_t record_count() const { return header_.record_count; }
    Ordinal first_ordinal() const { return header_.first_ordinal; }
    Ordinal end_ordinal() const { return header_.first_ordinal + header_.record_count; }
    bool is_packed() const { return (header_.flags & kBatchPacked) != 0; }
    /// Of the first record. Of the others RecordCursor knows.
    WallTime arrival() const { return from_millis(header_.arrival_ms); }
    /// Of the last record.
    WallTime last_arrival() const {
        return from_millis(header_.arrival_ms + std::int64_t{header_.arrival_span_ms});
    }
    bool payload_is_intact() const;

 private:
    RecordBatchHeader header_{};
    Bytes bytes_;
};

/// What a compressed batch has behind its header.
struct CompressedRecords {
    std::size_t records_bytes;  ///< of the records once opened; at most kRecordsBytesMax
    Bytes bytes;                ///< an LZ4 block or a zstd frame
};
/// Trusts the header. Errors: Corrupt, when the length cannot be: below two bytes a record, beyond
/// the limit, or more than the codec can make of so few bytes.
Result<CompressedRecords> compressed_records(const RecordBatchView& batch);

/// Walks the records of a batch in order. Stops with Corrupt at the first byte that does not fit.
/// Readers get one from a BatchOpener (proto/batch_codec.h), whatever the batch's codec.
class RecordCursor {
 public:
    /// Of a plain batch. Errors: Unsupported, in `status`, for a compressed one.
    explicit RecordCursor(const RecordBatchView& batch);
    /// Of a batch whose records have been opened, or could not be.
    RecordCursor(const RecordBatchView& batch, Bytes records);
    RecordCursor(const RecordBatchView& batch, std::unexpected<Error> error);
    /// False at the end or on damage (see `status`).
    bool next(RecordView& record);
    /// Ordinal of the record that `next` returned last.
    Ordinal ordinal() const { return next_ordinal_ - 1; }
    /// When that record arrived.
    WallTime arrival() const { return from_millis(arrival_ms_); }
    /// Its lengths and bytes as they stand in the batch, without its arrival. Only after a `next`
    /// that returned true.
    Bytes encoded() const { return {record_, at_}; }
    const Status& status() const { return status_; }

 private:
    bool stop(std::string_view what);

    const std::byte* at_ = nullptr;
    const std::byte* end_ = nullptr;
    const std::byte* record_ = nullptr;
    std::uint32_t remaining_ = 0;
    bool is_packed_ = false;
    std::uint32_t span_left_ms_ = 0;  // of the batch's arrivals
    Ordinal next_ordinal_ = 0;
    std::int64_t arrival_ms_ = 0;
    Status status_;
};

/// Builds a batch. Reusable: `finish` leaves the bytes in place until `clear`.
class RecordBatchBuilder {
 public:
    RecordBatchBuilder();
    void add(std::string_view partition_key, Bytes data, Bytes attributes = {});
    std::uint32_t record_count() const { return count_; }
    std::size_t bytes() const { return buffer_.size(); }
    bool is_empty() const { return count_ == 0; }
    /// Completes the producer's half of the header. Ownership: the view is valid until the next add
    /// or clear.
    RecordBatchView finish(std::uint64_t producer_id = 0, std::uint32_t producer_sequence = 0);
    void clear();

 private:
    std::vector<std::byte> buffer_;
    std::uint32_t count_ = 0;
};

/// Computes the producer's checksum anew, after bytes of an unstamped batch were changed.
void reseal_record_batch(MutableBytes batch);

/// Writes the broker's half of the header into a copy of a batch and seals it.
void stamp_record_batch(MutableBytes batch, ShardUid shard, Ordinal first, WallTime arrival,
                        std::uint32_t epoch, std::uint32_t arrival_span_ms = 0);

/// Bytes that a record takes inside a batch.
std::size_t record_bytes(std::size_t key_bytes, std::size_t data_bytes,
                         std::size_t attribute_bytes);

}  // namespace tidemill
