#include "proto/batch_codec.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <lz4.h>
#include <zstd.h>

#include "engine/base/check.h"
#include "proto/wire_limits.h"

namespace tidemill {
namespace {

constexpr std::size_t kHeaderBytes = sizeof(RecordBatchHeader);

std::unexpected<Error> damaged(const RecordBatchView& batch, std::string_view what) {
    return fail(Errc::Corrupt, fmt::format("the {} batch of records {} to {}: {}",
                                           codec_name(batch.header().codec), batch.first_ordinal(),
                                           batch.end_ordinal() - 1, what));
}

}  // namespace

Result<Compression> parse_compression(std::string_view text) {
    if (text == "none") return Compression{};
    if (text == "lz4") return Compression{Codec::Lz4, 0};
    if (text == "zstd") return Compression{Codec::Zstd, kZstdLevelDefault};
    constexpr std::string_view kZstdWithLevel = "zstd:";
    if (text.starts_with(kZstdWithLevel)) {
        const std::string_view digits = text.substr(kZstdWithLevel.size());
        int level = 0;
        const auto end = digits.data() + digits.size();
        const auto read = std::from_chars(digits.data(), end, level);
        if (read.ec == std::errc{} && read.ptr == end && level >= 1 && level <= kZstdLevelMax)
            return Compression{Codec::Zstd, level};
    }
    return fail(Errc::InvalidArgument,
                fmt::format("'{}' is no compression: none, lz4, zstd, or zstd:1 to zstd:{}", text,
                            kZstdLevelMax));
}

std::string to_string(const Compression& compression) {
    std::string text = codec_name(static_cast<std::uint8_t>(compression.codec));
    if (compression.codec == Codec::Zstd && compression.level != kZstdLevelDefault)
        text += fmt::format(":{}", compression.level);
    return text;
}

std::string codec_name(std::uint8_t codec) {
    switch (static_cast<Codec>(codec)) {
        case Codec::None:
            return "none";
        case Codec::Lz4:
            return "lz4";
        case Codec::Zstd:
            return "zstd";
    }
    return fmt::format("codec {}", codec);
}

// ---- compressing

BatchCompressor::BatchCompressor(Compression compression) : compression_(compression) {
    if (compression_.codec == Codec::Lz4) {
        lz4_ = std::make_unique<std::byte[]>(static_cast<std::size_t>(LZ4_sizeofState()));
    } else if (compression_.codec == Codec::Zstd) {
        zstd_ = ZSTD_createCCtx();
        TM_CHECK(zstd_ != nullptr, "no memory for a zstd context");
        ZSTD_CCtx_setParameter(zstd_, ZSTD_c_compressionLevel, compression_.level);
    }
}

BatchCompressor::BatchCompressor(BatchCompressor&& other) noexcept
    : compression_(other.compression_),
      zstd_(std::exchange(other.zstd_, nullptr)),
      lz4_(std::move(other.lz4_)),
      scratch_(std::move(other.scratch_)) {}

BatchCompressor& BatchCompressor::operator=(BatchCompressor&& other) noexcept {
    compression_ = other.compression_;
    std::swap(zstd_, other.zstd_);
    std::swap(lz4_, other.lz4_);
    std::swap(scratch_, other.scratch_);
    return *this;
}

BatchCompressor::~BatchCompressor() { ZSTD_freeCCtx(zstd_); }

/// Bytes written; 0 when they do not fit.
std::size_t BatchCompressor::compress_records(Bytes records, MutableBytes to) {
    if (compression_.codec == Codec::Lz4) {
        const int written = LZ4_compress_fast_extState(
            lz4_.get(), reinterpret_cast<const char*>(records.data()),
            reinterpret_cast<char*>(to.data()), static_cast<int>(records.size()),
            static_cast<int>(to.size()), 1);
        return static_cast<std::size_t>(written);
    }
    const std::size_t written =
        ZSTD_compress2(zstd_, to.data(), to.size(), records.data(), records.size());
    return ZSTD_isError(written) != 0 ? 0 : written;
}

RecordBatchView BatchCompressor::compress(const RecordBatchView& plain,
                                          std::vector<std::byte>& to) {
    const Bytes records = plain.bytes().subspan(kHeaderBytes);
    if (compression_.codec == Codec::None || plain.header().codec != 0 ||
        records.size() < kCompressBytesMin || records.size() > wire_limits::kRecordsBytesMax)
        return plain;
    const std::size_t worth = plain.bytes().size() - plain.bytes().size() / 16;
    scratch_.resize(std::max(scratch_.size(), worth));
    const std::size_t head = kHeaderBytes + kRecordsLengthBytes;
    const std::size_t written =
        compress_records(records, MutableBytes{scratch_}.subspan(head, worth - head));
    if (written == 0) return plain;
    to.assign(scratch_.begin(), scratch_.begin() + static_cast<std::ptrdiff_t>(head + written));
    RecordBatchHeader header = plain.header();
    header.codec = static_cast<std::uint8_t>(compression_.codec);
    header.batch_bytes = static_cast<std::uint32_t>(to.size());
    store_le(to.data() + kHeaderBytes, static_cast<std::uint32_t>(records.size()));
    store_le(to.data(), header);
    reseal_record_batch(to);
    return RecordBatchView::trusted(to);
}

// ---- opening

BatchOpener::BatchOpener(BatchOpener&& other) noexcept
    : zstd_(std::exchange(other.zstd_, nullptr)),
      records_(std::move(other.records_)),
      capacity_(std::exchange(other.capacity_, 0)) {}

BatchOpener& BatchOpener::operator=(BatchOpener&& other) noexcept {
    std::swap(zstd_, other.zstd_);
    std::swap(records_, other.records_);
    std::swap(capacity_, other.capacity_);
    return *this;
}

BatchOpener::~BatchOpener() { ZSTD_freeDCtx(zstd_); }

RecordCursor BatchOpener::open(const RecordBatchView& batch) {
    const bool is_plain = batch.header().codec == static_cast<std::uint8_t>(Codec::None);
    if (is_plain || batch.header().key_id != 0) return RecordCursor(batch);
    const auto records = expand(batch);
    if (!records) return RecordCursor(batch, std::unexpected(records.error()));
    return RecordCursor(batch, *records);
}

MutableBytes BatchOpener::room(std::size_t bytes) {
    if (bytes > capacity_) {
        capacity_ = std::min(std::bit_ceil(bytes), wire_limits::kBatchBytesMax);
        records_ = std::make_unique_for_overwrite<std::byte[]>(capacity_);
    }
    return {records_.get(), bytes};
}

Result<Bytes> BatchOpener::expand(const RecordBatchView& batch) {
    if (batch.header().codec > static_cast<std::uint8_t>(Codec::Zstd))
        return fail(Errc::Unsupported,
                    fmt::format("this reader knows no {}", codec_name(batch.header().codec)));
    ASSIGN(const CompressedRecords packed, compressed_records(batch));
    if (batch.header().codec == static_cast<std::uint8_t>(Codec::Lz4)) {
        const MutableBytes to = room(packed.records_bytes);
        const int got = LZ4_decompress_safe(
            reinterpret_cast<const char*>(packed.bytes.data()), reinterpret_cast<char*>(to.data()),
            static_cast<int>(packed.bytes.size()), static_cast<int>(to.size()));
        if (got < 0) return damaged(batch, "its LZ4 block is malformed");
        if (static_cast<std::size_t>(got) != to.size())
            return damaged(batch, fmt::format("{} bytes of records where it says {}", got,
                                              packed.records_bytes));
        return Bytes{to};
    }
    // One frame and nothing behind it: the library would go on to frames that follow.
    if (ZSTD_findFrameCompressedSize(packed.bytes.data(), packed.bytes.size()) !=
        packed.bytes.size())
        return damaged(batch, "it is not one whole zstd frame");
    const auto says = ZSTD_getFrameContentSize(packed.bytes.data(), packed.bytes.size());
    if (says != ZSTD_CONTENTSIZE_UNKNOWN && says != packed.records_bytes)
        return damaged(batch, fmt::format("its zstd frame says {} bytes of records, the batch {}",
                                          says, packed.records_bytes));
    if (zstd_ == nullptr) zstd_ = ZSTD_createDCtx();
    TM_CHECK(zstd_ != nullptr, "no memory for a zstd context");
    const MutableBytes to = room(packed.records_bytes);
    const std::size_t got =
        ZSTD_decompressDCtx(zstd_, to.data(), to.size(), packed.bytes.data(), packed.bytes.size());
    if (ZSTD_isError(got) != 0)
        return damaged(batch, fmt::format("its zstd frame: {}", ZSTD_getErrorName(got)));
    if (got != to.size())
        return damaged(
            batch, fmt::format("{} bytes of records where it says {}", got, packed.records_bytes));
    return Bytes{to};
}

}  // namespace tidemill
