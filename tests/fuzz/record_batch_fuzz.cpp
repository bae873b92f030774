// link: proto
#include <cstdint>

#include "proto/record_batch.h"

using namespace tidemill;

namespace {
void walk(const RecordBatchView& view) {
    RecordCursor cursor(view);
    std::size_t bytes = 0, records = 0;
    for (RecordView record; cursor.next(record); ++records)
        bytes += record.data.size() + record.partition_key.size() + record.attributes.size();
    if (bytes > view.bytes().size() || records > view.record_count()) __builtin_trap();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes bytes{reinterpret_cast<const std::byte*>(data), size};
    if (const auto fresh = RecordBatchView::parse(bytes)) walk(*fresh);
    if (const auto stamped = RecordBatchView::parse_stamped(bytes)) walk(*stamped);
    // The checksums stop nearly every mutation; behind them the walk must hold on its own.
    if (size >= sizeof(RecordBatchHeader)) walk(RecordBatchView::trusted(bytes));
    return 0;
}
