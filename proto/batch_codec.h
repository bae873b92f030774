#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/result.h"
#include "proto/record_batch.h"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace tidemill {

/// How a producer compresses its batches.
struct Compression {
    Codec codec = Codec::None;
    int level = 0;  ///< zstd: 1 (fast) to kZstdLevelMax (small); 0 with the others

    bool operator==(const Compression&) const = default;
};

constexpr int kZstdLevelDefault = 1;
constexpr int kZstdLevelMax = 19;
/// Records below this many bytes are not worth a try.
constexpr std::size_t kCompressBytesMin = 256;

/// "none", "lz4", "zstd" or "zstd:LEVEL". Errors: InvalidArgument.
Result<Compression> parse_compression(std::string_view text);
/// The same text again.
std::string to_string(const Compression& compression);
/// "none", "lz4", "zstd", or "codec 7".
std::string codec_name(std::uint8_t codec);

/// Compresses batches. Reusable: its memory grows to what the largest batch needs and stays. One
/// thread at a time.
class BatchCompressor {
 public:
    explicit BatchCompressor(Compression compression);
    BatchCompressor(BatchCompressor&&) noexcept;
    BatchCompressor& operator=(BatchCompressor&&) noexcept;
    ~BatchCompressor();

    const Compression& compression() const { return compression_; }

    /// The compressed form of a finished plain batch, with its checksum, written into `to`; or
    /// `plain` itself, `to` untouched, when that would not save a sixteenth of its bytes.
    /// Ownership: the view is of `to` or of `plain`. Limits: below kCompressBytesMin nothing is
    /// tried.
    RecordBatchView compress(const RecordBatchView& plain, std::vector<std::byte>& to);

 private:
    std::size_t compress_records(Bytes records, MutableBytes to);

    Compression compression_;
    ZSTD_CCtx_s* zstd_ = nullptr;
    std::unique_ptr<std::byte[]> lz4_;  // its hash table
    std::vector<std::byte> scratch_;
};

/// Opens batches of any codec for reading: the one way that every reader takes. Reusable: it keeps
/// the memory that the largest compressed batch needed, at most wire_limits::kBatchBytesMax; plain
/// batches need none. One thread at a time; one batch at a time.
class BatchOpener {
 public:
    BatchOpener() = default;
    BatchOpener(BatchOpener&&) noexcept;
    BatchOpener& operator=(BatchOpener&&) noexcept;
    ~BatchOpener();

    /// A cursor over the records. Trusts the header (parse or parse_stamped have checked it) and
    /// nothing behind it. Ownership: valid until the next `open`, and no longer than the batch's
    /// bytes. Errors: Corrupt and Unsupported (an unknown codec), in the cursor's status. Lengths
    /// are checked before memory is taken for them.
    RecordCursor open(const RecordBatchView& batch);
    /// What it holds.
    std::size_t memory_bytes() const { return capacity_; }

 private:
    Result<Bytes> expand(const RecordBatchView& batch);
    MutableBytes room(std::size_t bytes);

    ZSTD_DCtx_s* zstd_ = nullptr;
    std::unique_ptr<std::byte[]> records_;
    std::size_t capacity_ = 0;
};

}  // namespace tidemill
