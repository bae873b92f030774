#include "bench/load/stamped_batch.h"

#include "proto/record_batch.h"

namespace tidemill::bench {

StampedBatch::StampedBatch(Bytes batch) : bytes_(batch.begin(), batch.end()) {
    RecordCursor cursor(RecordBatchView::trusted(bytes_));
    for (RecordView record; cursor.next(record);)
        times_.push_back(static_cast<std::uint32_t>(record.data.data() - bytes_.data()));
}

Bytes StampedBatch::stamp(std::int64_t nanoseconds) {
    for (const std::uint32_t at : times_)
        store_le(bytes_.data() + at, nanoseconds);
    reseal_record_batch(bytes_);
    return bytes_;
}

}  // namespace tidemill::bench
