#include "producer/shard_queue.h"

#include <algorithm>

#include "engine/base/check.h"
#include "engine/base/random.h"
#include "proto/wire_limits.h"

namespace tidemill::client {

bool ShardQueue::is_full(const PendingBatch& batch) const {
    return batch.builder.bytes() >= options_.batch_bytes_max;
}

bool ShardQueue::add(std::string_view partition_key, Bytes data, PendingRecord record) {
    const std::size_t more = record_bytes(partition_key.size(), data.size(), 0);
    const auto takes = [&](const PendingBatch& batch) {
        return !batch.is_sealed && !is_full(batch) &&
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
    if (batches_.empty() || is_under_way_ || needs_position_ || waits_for_children())
        return nullptr;
    PendingBatch& batch = batches_.front();
    const bool has_waited = batches_.size() > 1 || is_full(batch) || is_hastened_ ||
                            batch.attempts > 0 || now >= batch.oldest() + options_.linger;
    if (!has_waited || now < batch.not_before) return nullptr;
    if (!batch.is_sealed) {
        const std::uint32_t sequence = producer_id_ == 0 ? 0 : next_sequence_;
        next_sequence_ += batch.builder.record_count();
        batch.finished = batch.builder.finish(producer_id_, sequence);
        batch.is_sealed = batch.is_fresh = true;
    }
    ++batch.attempts;
    batch.may_be_stored = true;
    is_under_way_ = true;
    return &batch;
}

MonoTime ShardQueue::next_due() const {
    if (batches_.empty() || is_under_way_) return MonoTime::max();
    const PendingBatch& batch = batches_.front();
    const MonoTime expiry = batch.oldest() + options_.record_ttl;
    const bool waits =
        batches_.size() == 1 && !is_full(batch) && !is_hastened_ && batch.attempts == 0;
    const MonoTime sent = waits ? batch.oldest() + options_.linger : batch.oldest();
    if (is_asking_position_ || waits_for_children()) return expiry;
    const MonoTime asked = needs_position_ ? ask_position_not_before_ : MonoTime{};
    return std::min(expiry, std::max({sent, batch.not_before, asked}));
}

bool ShardQueue::take_position_due(MonoTime now) {
    if (!needs_position_ || is_asking_position_ || batches_.empty() || waits_for_children() ||
        now < ask_position_not_before_)
        return false;
    return is_asking_position_ = true;
}

void ShardQueue::position_is(std::uint32_t next_sequence) {
    needs_position_ = is_asking_position_ = false;
    next_sequence_ = next_sequence;
}

void ShardQueue::position_failed(MonoTime not_before) {
    is_asking_position_ = false;
    ask_position_not_before_ = not_before;
}

void ShardQueue::begin_anew() {
    if (producer_id_ == 0) return;
    TM_CHECK(!is_under_way_, "a batch is under way");
    if (!batches_.empty()) batches_.front().is_sealed = batches_.front().may_be_stored = false;
    next_sequence_ = 0;
    if (producer_id_ == options_.producer_id) {
        needs_position_ = true;  // the id stays, and the broker knows where it stands
    } else {
        producer_id_ = Random(producer_id_).next() | 1;
    }
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
    bool has_number = false;
    while (!batches_.empty() && now >= batches_.front().oldest() + options_.record_ttl) {
        has_number = has_number || batches_.front().is_sealed;
        expired.push_back(std::move(batches_.front()));
        batches_.pop_front();
    }
    if (has_number) begin_anew();
    return expired;
}

std::deque<PendingBatch> ShardQueue::take_all() {
    is_under_way_ = false;
    is_hastened_ = false;
    return std::exchange(batches_, {});
}

}  // namespace tidemill::client
