#include "producer/producer_core.h"

#include <algorithm>
#include <unordered_set>

#include <fmt/format.h>

#include "engine/base/hash_key.h"
#include "producer/endpoint.h"
#include "proto/sequence_number.h"
#include "proto/wire_limits.h"

namespace tidemill::client {
namespace {

/// Between questions for a stream's shards: while a change of them is under way, doubling; after
/// one.
constexpr std::chrono::milliseconds kAskSoon{1}, kAskAgain{5};

}  // namespace

std::string PutResult::shard_id() const { return shard_id_of(shard_index_); }

std::string PutResult::sequence_number() const {
    return SequenceNumber::of_record(shard_created_s_, shard_index_, ordinal_, arrival_ms_ / 1000)
        .to_string();
}

std::chrono::system_clock::time_point PutResult::arrival() const {
    return std::chrono::system_clock::time_point(std::chrono::milliseconds(arrival_ms_));
}

void FinishedPut::hand_out() {
    if (waiter.callback) waiter.callback(result);
    if (waiter.promise) waiter.promise->set_value(std::move(result));
}

ProducerCore::ProducerCore(ProducerOptions options, std::uint64_t random_id)
    : options_(std::move(options)),
      producer_id_(!options_.is_idempotent     ? 0
                   : options_.producer_id != 0 ? options_.producer_id
                                               : random_id) {}

std::size_t ProducerCore::memory_of(std::string_view partition_key, Bytes data) {
    return partition_key.size() + data.size() + sizeof(PendingRecord);
}

PutResult ProducerCore::failed(const Error& error) {
    PutResult result;
    result.failure_ = failure_of(error);
    return result;
}

bool ProducerCore::has_room(std::size_t memory_bytes) const {
    // A lone record larger than the bound is let in, or it could never be.
    return memory_bytes_ == 0 || memory_bytes_ + memory_bytes <= options_.memory_bytes_max;
}

Result<bool> ProducerCore::put(std::string_view stream_name, std::string_view partition_key,
                               Bytes data, std::string_view explicit_hash_key, PutWaiter& waiter,
                               MonoTime now) {
    if (partition_key.empty() || partition_key.size() > wire_limits::kPartitionKeyBytesMax)
        return fail(Errc::InvalidArgument,
                    fmt::format("a partition key of {} bytes; 1 to {} are allowed",
                                partition_key.size(), wire_limits::kPartitionKeyBytesMax));
    if (data.size() > wire_limits::kRecordBytesMax)
        return fail(Errc::TooLarge, fmt::format("a record of {} bytes; the limit is {}",
                                                data.size(), wire_limits::kRecordBytesMax));
    PendingRecord record;
    if (explicit_hash_key.empty()) {
        record.hash_key = hash_partition_key(partition_key);
    } else if (const auto key = parse_decimal_uint128(explicit_hash_key)) {
        record.hash_key = *key;
    } else {
        return fail(
            Errc::InvalidArgument,
            fmt::format("'{}' is no hash key: a decimal number below 2^128", explicit_hash_key));
    }
    auto found = streams_.find(stream_name);
    if (found == streams_.end()) {
        found = streams_.emplace(std::string(stream_name), std::make_unique<Stream>()).first;
        found->second->name = stream_name;
    }
    record.since = now;
    record.epoch = epoch_;
    record.memory_bytes = memory_of(partition_key, data);
    record.waiter = std::move(waiter);
    memory_bytes_ += record.memory_bytes;
    ++outstanding_[epoch_];
    ++metrics_.records_accepted;
    return route(*found->second, partition_key, data, std::move(record));
}

ShardQueue& ProducerCore::queue_of(Stream& stream, const ShardMap::Entry& shard) {
    auto& queue = stream.queues[shard.uid];
    if (queue == nullptr) queue = std::make_unique<ShardQueue>(shard, options_, producer_id_);
    return *queue;
}

bool ProducerCore::route(Stream& stream, std::string_view partition_key, Bytes data,
                         PendingRecord record) {
    const ShardMap::Entry* shard = stream.map.shard_for(record.hash_key);
    ShardQueue* const queue = shard == nullptr ? nullptr : &queue_of(stream, *shard);
    // While a shard is closed and its children are not known yet, only its own range waits.
    if (queue == nullptr || queue->is_closed()) {
        stream.needs_map = true;
        stream.unrouted.push_back(
            {std::string(partition_key), {data.begin(), data.end()}, std::move(record)});
        return stream.unrouted.size() == 1;
    }
    return queue->add(partition_key, data, std::move(record));
}

std::chrono::milliseconds ProducerCore::backoff(int attempts) const {
    const int doublings = std::clamp(attempts - 1, 0, 16);
    return std::min(options_.retry_backoff_min * (1 << doublings), options_.retry_backoff_max);
}

// ---- sending

std::vector<ProducerRequest> ProducerCore::take_requests(MonoTime now) {
    std::vector<ProducerRequest> requests;
    for (auto& [name, stream] : streams_) {
        if (stream->needs_map && !stream->is_asking && now >= stream->ask_not_before) {
            stream->is_asking = true;
            ++stream->asked;
            under_way_[++last_id_] = {stream.get(), nullptr};
            requests.push_back(
                {last_id_, ProducerRequest::Kind::Describe, name, 0, 0, {}, nullptr});
        }
        for (auto& [uid, queue] : stream->queues) {
            if (queue->take_position_due(now)) {
                under_way_[++last_id_] = {stream.get(), queue.get(), true};
                requests.push_back({last_id_,
                                    ProducerRequest::Kind::Position,
                                    {},
                                    uid.value,
                                    queue->producer_id(),
                                    {},
                                    nullptr});
            } else if (PendingBatch* batch = queue->take_due(now)) {
                under_way_[++last_id_] = {stream.get(), queue.get()};
                requests.push_back({last_id_,
                                    ProducerRequest::Kind::Produce,
                                    {},
                                    uid.value,
                                    0,
                                    batch->finished.bytes(),
                                    batch->is_fresh ? batch : nullptr});
                if (batch->attempts > 1) ++metrics_.batches_retried;
            }
        }
    }
    return requests;
}

MonoTime ProducerCore::next_due() const {
    MonoTime next = MonoTime::max();
    for (const auto& [name, stream] : streams_) {
        if (stream->needs_map && !stream->is_asking) next = std::min(next, stream->ask_not_before);
        if (!stream->unrouted.empty())
            next = std::min(next, stream->unrouted.front().record.since + options_.record_ttl);
        for (const auto& [uid, queue] : stream->queues)
            next = std::min(next, queue->next_due());
    }
    return next;
}

void ProducerCore::expire(MonoTime now) {
    for (auto& [name, stream] : streams_)
        expire(*stream, now);
}

void ProducerCore::expire(Stream& stream, MonoTime now) {
    const Error error(Errc::Timeout,
                      fmt::format("the record was not stored within {} ms; last error: {}",
                                  options_.record_ttl.count(), last_error_.message));
    for (auto& [uid, queue] : stream.queues)
        for (auto& batch : queue->take_expired(now)) {
            if (batch.is_sealed) ++metrics_.sequences_begun_anew;
            finish_batch(std::move(batch), *queue, error);
        }
    while (!stream.unrouted.empty() &&
           now >= stream.unrouted.front().record.since + options_.record_ttl) {
        finish_record(std::move(stream.unrouted.front().record), failed(error));
        stream.unrouted.pop_front();
    }
}

// ---- answers

void ProducerCore::acknowledged(std::uint32_t id, std::uint64_t first_ordinal,
                                std::int64_t arrival_ms, bool is_duplicate) {
    const auto found = under_way_.find(id);
    if (found == under_way_.end() || found->second.queue == nullptr || found->second.is_position)
        return;
    ShardQueue& queue = *found->second.queue;
    under_way_.erase(found);
    PutResult result;
    result.ordinal_ = first_ordinal;
    result.arrival_ms_ = arrival_ms;
    result.is_duplicate_ = is_duplicate;
    PendingBatch batch = queue.finish();
    ++metrics_.batches_stored;
    metrics_.batch_bytes_stored += batch.finished.bytes().size();
    metrics_.batches_duplicate += is_duplicate ? 1 : 0;
    for (const auto& record : batch.records)
        metrics_.bytes_stored += record.memory_bytes;
    metrics_.bytes_stored -= batch.records.size() * sizeof(PendingRecord);
    finish_batch(std::move(batch), std::move(result), queue);
}

void ProducerCore::position_is(std::uint32_t id, std::uint32_t next_sequence) {
    const auto found = under_way_.find(id);
    if (found == under_way_.end() || !found->second.is_position) return;
    found->second.queue->position_is(next_sequence);
    under_way_.erase(found);
}

void ProducerCore::refused(std::uint32_t id, const Error& error, MonoTime now) {
    const auto found = under_way_.find(id);
    if (found == under_way_.end()) return;
    const UnderWay asked = found->second;
    under_way_.erase(found);
    last_error_ = error;
    if (asked.queue == nullptr) {
        asked.stream->is_asking = false;
        if (error.code == Errc::NotFound) {
            // The stream is not there: its records cannot be stored, now or later.
            for (auto& [uid, queue] : asked.stream->queues) {
                if (queue->is_under_way()) continue;  // will be told the same
                for (auto& batch : queue->take_all())
                    finish_batch(std::move(batch), *queue, error);
            }
            for (auto& unrouted : std::exchange(asked.stream->unrouted, {})) {
                finish_record(std::move(unrouted.record), failed(error));
            }
            // Asked again when the next record comes.
            asked.stream->needs_map = false;
            asked.stream->map = {};
            return;
        }
        ask_again(*asked.stream, now);
        return;
    }
    if (asked.is_position) {
        asked.queue->position_failed(now + options_.retry_backoff_min);
        if (error.code == Errc::ShardClosed || error.code == Errc::NotFound) {
            asked.queue->set_closed(true);
            asked.stream->needs_map = true;
        }
        return;
    }
    refused_batch(*asked.stream, *asked.queue, error, now);
}

void ProducerCore::refused_batch(Stream& stream, ShardQueue& queue, const Error& error,
                                 MonoTime now) {
    const bool is_first = queue.attempts() == 1;
    const bool is_order = error.code == Errc::SequenceGap || error.code == Errc::SequenceConflict ||
                          (error.code == Errc::SequenceStale && is_first);
    const bool is_gone = error.code == Errc::ShardClosed || error.code == Errc::NotFound;
    // Whether an earlier sending was stored, only those answers tell that were given with a look
    // at what the shard holds.
    const bool is_open = error.code == Errc::Unknown || error.code == Errc::Timeout ||
                         error.code == Errc::IoFailed || error.code == Errc::Internal;
    if (is_order || is_gone || (is_first && !is_open)) queue.first_is_not_stored();
    if (is_gone) {
        queue.retry(now);
        queue.set_closed(true);
        stream.needs_map = true;
        return;
    }
    if (is_order) {
        // Its predecessor was given up, lost with a damaged or an undurable log, or another
        // producer has our id.
        queue.retry(now + backoff(queue.attempts()));
        queue.begin_anew();
        ++metrics_.sequences_begun_anew;
        return;
    }
    if (info(error.code).is_retryable || error.code == Errc::Unknown) {
        queue.retry(now + backoff(queue.attempts()));
        return;
    }
    finish_batch(queue.finish(), queue, error);
    queue.begin_anew();
}

void ProducerCore::ask_again(Stream& stream, MonoTime now) {
    stream.needs_map = true;
    stream.ask_not_before = now + backoff(stream.asked);
}

// The change of shards that has closed one takes milliseconds.
void ProducerCore::ask_soon(Stream& stream, MonoTime now) {
    stream.needs_map = true;
    const int doublings = std::clamp(stream.asked - 1, 0, 16);
    stream.ask_not_before = now + std::min(kAskSoon * (1 << doublings), options_.retry_backoff_max);
}

void ProducerCore::described(std::uint32_t id, const StreamDescription& description, MonoTime now) {
    const auto found = under_way_.find(id);
    if (found == under_way_.end() || found->second.queue != nullptr) return;
    Stream& stream = *found->second.stream;
    under_way_.erase(found);
    stream.is_asking = false;
    ++metrics_.shard_map_refreshes;
    ShardMap map(description);
    std::unordered_set<std::uint32_t> open, known;
    for (const auto& shard : description.shards) {
        known.insert(shard.uid);
        if (shard.is_open()) open.insert(shard.uid);
    }
    const auto is_open = [&](const ShardQueue& queue) {
        return open.contains(queue.shard().uid.value);
    };
    const bool is_updating = description.status == "updating";
    // Until a closed shard has said what became of the batch it was sent, that batch's successors
    // must not go to its children; and until the change is complete nobody knows these. A broker
    // that has just started may still describe the shards as they were before a change that we have
    // seen.
    bool is_early = map.is_empty();
    for (auto& [uid, queue] : stream.queues) {
        if (is_open(*queue)) {
            is_early = is_early || (queue->is_closed() && is_updating);
        } else if (is_updating && !known.contains(uid.value)) {
            is_early = true;
        } else {
            queue->set_closed(true);
            is_early =
                is_early || queue->is_under_way() || queue->is_asking() || queue->is_in_doubt();
        }
    }
    if (is_early) return ask_soon(stream, now);
    std::vector<std::unique_ptr<ShardQueue>> closed;
    for (auto at = stream.queues.begin(); at != stream.queues.end();) {
        at->second->set_closed(false);
        if (!is_open(*at->second)) closed.push_back(std::move(at->second));
        at = at->second == nullptr ? stream.queues.erase(at) : std::next(at);
    }
    stream.map = std::move(map);
    stream.needs_map = false;
    stream.ask_not_before = now + kAskAgain;
    auto waiting = std::exchange(stream.unrouted, {});
    for (auto& queue : closed)
        reroute(stream, *queue);
    for (auto& record : waiting)
        route(stream, record.partition_key, record.data, std::move(record.record));
    if (!stream.needs_map) stream.asked = 0;
}

// Records of a shard that is closed go to the shards that took its range over, in their order,
// before anything newer.
void ProducerCore::reroute(Stream& stream, ShardQueue& closed) {
    for (auto& batch : closed.take_all()) {
        RecordCursor cursor(batch.builder.finish());
        RecordView record;
        for (auto& pending : batch.records)
            if (cursor.next(record))
                route(stream, record.partition_key, record.data, std::move(pending));
    }
}

void ProducerCore::disconnected(const Error& error, MonoTime now) {
    last_error_ = error;
    ++metrics_.reconnects;
    for (auto& [id, asked] : std::exchange(under_way_, {})) {
        if (asked.queue != nullptr) {
            if (asked.is_position) asked.queue->position_failed(now);
            if (asked.queue->is_under_way()) asked.queue->retry(now);
        } else {
            asked.stream->is_asking = false;
            asked.stream->ask_not_before = now;
        }
    }
}

void ProducerCore::finish_batch(PendingBatch batch, const ShardQueue& queue, const Error& error) {
    finish_batch(std::move(batch), failed(error), queue);
}

void ProducerCore::finish_batch(PendingBatch batch, PutResult result, const ShardQueue& queue) {
    result.attempts_ = batch.attempts;
    result.shard_index_ = queue.shard().index;
    result.shard_created_s_ = queue.shard().created_s;
    for (auto& record : batch.records) {
        finish_record(std::move(record), result);
        ++result.ordinal_;
    }
}

void ProducerCore::finish_record(PendingRecord record, PutResult result) {
    memory_bytes_ -= record.memory_bytes;
    const auto epoch = outstanding_.find(record.epoch);
    if (--epoch->second == 0) outstanding_.erase(epoch);
    ++(result.is_ok() ? metrics_.records_stored : metrics_.records_failed);
    if (record.waiter.callback || record.waiter.promise)
        finished_.push_back({std::move(record.waiter), std::move(result)});
}

// ---- flush

std::uint64_t ProducerCore::begin_flush() {
    for (auto& [name, stream] : streams_)
        for (auto& [uid, queue] : stream->queues)
            queue->hasten();
    return epoch_++;
}

bool ProducerCore::is_flushed(std::uint64_t epoch) const {
    return outstanding_.empty() || outstanding_.begin()->first > epoch;
}

ProducerMetrics ProducerCore::metrics() const {
    ProducerMetrics now = metrics_;
    now.memory_bytes = memory_bytes_;
    for (const auto& [epoch, count] : outstanding_)
        now.records_pending += count;
    return now;
}

}  // namespace tidemill::client
