#include "engine/query/stream_sample.h"

#include <algorithm>

#include "operators/connect/kpl_aggregate.h"
#include "proto/batch_codec.h"

namespace tidemill::query {
namespace {

constexpr std::size_t kSampleBytes = 256 * 1024;  // of one shard

void add(std::vector<std::string>& records, std::string_view data, std::size_t most) {
    const auto aggregate = sql::open_kpl_aggregate(data);
    if (!aggregate) {
        records.emplace_back(data);
        return;
    }
    for (const auto& inner : *aggregate)
        if (records.size() < most) records.emplace_back(inner.data);
}

}  // namespace

Task<Result<std::vector<std::string>>> sample_stream(StreamService& service, std::string stream,
                                                     SampleFrom from, std::size_t most) {
    CO_ASSIGN(const auto found, service.find_stream(stream));
    std::vector<std::string> records;
    BatchOpener opener;
    const std::size_t each =
        std::max<std::size_t>(most / std::max<std::size_t>(found->shards.size(), 1), 1);
    for (const ShardInfo& shard : found->shards) {
        if (records.size() >= most) break;
        Ordinal first = 0;
        if (from == SampleFrom::Newest) {
            CO_ASSIGN(const TailInfo tail, co_await service.tail(shard.uid));
            first = tail.end > each ? tail.end - each : 0;
        }
        ReadLimits limits;
        limits.bytes = kSampleBytes;
        limits.records = each;
        CO_ASSIGN(const auto read, co_await service.read(shard.uid, first, limits));
        std::size_t taken = 0;
        for (const auto& slice : read.batches) {
            CO_ASSIGN(const auto batch, RecordBatchView::parse_stamped(slice.bytes));
            RecordCursor cursor = opener.open(batch);
            RecordView record;
            while (taken < each && records.size() < most && cursor.next(record)) {
                if (cursor.ordinal() < first) continue;
                ++taken;
                add(records, as_text(record.data), most);
            }
        }
    }
    co_return records;
}

}  // namespace tidemill::query
