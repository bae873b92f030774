#include "producer/shard_queue.h"

#include <algorithm>

#include "engine/base/check.h"
#include "proto/wire_limits.h"

namespace tidemill::client {

bool ShardQueue::is_full(const PendingBatch& batch) const {
    return batch.builder.bytes() >= options_.batch_bytes_max;
}

bool ShardQueue::add(std::string_view partition_key, Bytes data, PendingRecord record) {
    const std::size_t more = record_bytes(partition_key.size(), data.size(), 0);
    const auto takes = [&](const PendingBatch& batch) {
        return !is_sealed(batch) && !is_full(batch) &&
               record.since - batch.oldest() < kFillTimeMax &&
               batch.builder.bytes() + more <= wire_limits::kBatchBytesMax;
    };
    const bool is_first = batches_.empty() || !takes(batches_.back());
    if (is_first) batches_.emplace_back();
    PendingBatch& batch = batches_.back();
    batch.builder.add(partition_key, data);
    batch.records.push_back(std::move(record));
    return (is_first || is_full(batch)) && !is_under_way_;
}

void ShardQueue::hasten() { is_hastened_ = !batches_.empty(); }

PendingBatch* ShardQueue::take_due(MonoTime now) {
    if (batches_.empty() || is_under_way_) return nullptr;
    PendingBatch& batch = batches_.front();
    const bool has_waited = batches_.size() > 1 || is_full(batch) || is_hastened_ ||
                            is_sealed(batch) || now >= batch.oldest() + options_.linger;
    if (!has_waited || now < batch.not_before) return nullptr;
    if (!is_sealed(batch)) {
        batch.producer_sequence = next_sequence_;
        next_sequence_ += batch.builder.record_count();
        batch.finished = batch.builder.finish(producer_id_, batch.producer_sequence);
    }
    ++batch.attempts;
    is_under_way_ = true;
    return &batch;
}

MonoTime ShardQueue::next_due() const {
    if (batches_.empty() || is_under_way_) return MonoTime::max();
    const PendingBatch& batch = batches_.front();
    const MonoTime expiry = batch.oldest() + options_.record_ttl;
    const bool waits =
        batches_.size() == 1 && !is_full(batch) && !is_hastened_ && !is_sealed(batch);
    const MonoTime sent = waits ? batch.oldest() + options_.linger : batch.oldest();
    return std::min(expiry, std::max(sent, batch.not_before));
}

PendingBatch ShardQueue::finish() {
    TM_CHECK(is_under_way_, "an answer without a batch under way");
    PendingBatch batch = std::move(batches_.front());
    batches_.pop_front();
    is_under_way_ = false;
    if (batches_.empty()) is_hastened_ = false;
    return batch;
}

void ShardQueue::retry(MonoTime not_before) {
    TM_CHECK(is_under_way_, "a retry without a batch under way");
    batches_.front().not_before = not_before;
    is_under_way_ = false;
}

std::vector<PendingBatch> ShardQueue::take_expired(MonoTime now) {
    std::vector<PendingBatch> expired;
    if (is_under_way_) return expired;
    while (!batches_.empty() && now >= batches_.front().oldest() + options_.record_ttl) {
        expired.push_back(std::move(batches_.front()));
        batches_.pop_front();
    }
    return expired;
}

std::deque<PendingBatch> ShardQueue::take_all() {
    is_under_way_ = false;
    is_hastened_ = false;
    return std::exchange(batches_, {});
}

}  // namespace tidemill::client
