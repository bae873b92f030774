#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "proto/record_batch.h"

namespace tidemill {

/// How long a packed batch gets: long enough that its headers are a four-hundredth of it, short
/// enough to be read for one record of it.
constexpr std::size_t kPackedBytesMax = 32_KiB;
/// Batches longer than this are not packed: their headers are below a twentieth of them.
constexpr std::size_t kPackBelowBytes = 4_KiB;
/// Nor those of more records: their arrivals would take as much as their headers do.
constexpr std::uint32_t kPackRecordsMax = 32;

/// Makes one stamped batch of neighbouring small ones of a shard. Every record keeps its bytes, its
/// ordinal and its arrival; what is lost is which producer had sent which of them together. Format:
/// docs/formats/record_batch.md, "Packed batches". Reusable.
class BatchPacker {
 public:
    BatchPacker() { clear(); }

    /// Takes `batch`, which must be stamped and intact, behind those taken so far. False, and
    /// nothing has changed: it is compressed, encrypted, too long, holds no records in spite of its
    /// checksum, or does not follow the others (shard, epoch, ordinals, arrival).
    bool try_add(const RecordBatchView& batch);
    /// The records of a packed batch from `first` on, which it holds, in place of anything taken so
    /// far. Nothing when its records cannot be read. Ownership: as with `finish`.
    std::optional<RecordBatchView> cut_front(const RecordBatchView& batch, Ordinal first);
    std::uint32_t batch_count() const { return batches_; }
    bool is_empty() const { return batches_ == 0; }
    /// Completes both halves of the header. Ownership: the view is valid until the next add or
    /// clear. There must be something in it.
    RecordBatchView finish();
    void clear();

 private:
    bool take(const RecordBatchView& batch, Ordinal first);
    bool follows(const RecordBatchView& batch) const;

    std::vector<std::byte> buffer_;
    RecordBatchHeader header_{};
    std::int64_t last_arrival_ms_ = 0;
    std::uint32_t batches_ = 0;
};

}  // namespace tidemill
