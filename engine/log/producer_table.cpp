#include "engine/log/producer_table.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/base/check.h"
#include "proto/record_batch.h"

namespace tidemill {
namespace {

// Sequence numbers wrap: what lies less than 2^31 ahead is later, the rest earlier.
std::int32_t distance(std::uint32_t from, std::uint32_t to) {
    return static_cast<std::int32_t>(to - from);
}

SequenceJudgement refuse(Errc code, std::string message) {
    return {SequenceVerdict::Refused, {}, Error(code, std::move(message))};
}

std::string name_of(ShardUid shard, const RecordBatchHeader& batch) {
    return fmt::format("producer {:016x} in shard {}: records {} to {}", batch.producer_id, shard,
                       batch.producer_sequence, batch.producer_sequence + (batch.record_count - 1));
}

}  // namespace

ProducedBatch produced_batch(const RecordBatchHeader& batch) {
    return {batch.producer_id,
            batch.first_ordinal,
            batch.arrival_ms,
            batch.shard,
            batch.producer_sequence,
            batch.record_count,
            batch.key_id == 0 ? batch.payload_crc : 0};
}

bool is_repetition(const RecordBatchHeader& batch, const ProducedBatch& first) {
    const bool has_same_bytes =
        batch.key_id != 0 || first.payload_crc == 0 || batch.payload_crc == first.payload_crc;
    return batch.producer_sequence == first.first_sequence &&
           batch.record_count == first.record_count && has_same_bytes;
}

SequenceJudgement ProducerTable::judge(ShardUid shard, const RecordBatchHeader& batch) const {
    const Producer* producer = find(shard, batch.producer_id);
    if (producer == nullptr) {
        const auto first = turned_away_.find(Key{batch.producer_id, shard.value});
        if (first == turned_away_.end() || distance(first->second, batch.producer_sequence) <= 0)
            return {};
        return refuse(Errc::SequenceGap,
                      fmt::format("{} come before record {}, which was turned away",
                                  name_of(shard, batch), first->second));
    }
    const std::int32_t ahead = distance(producer->next, batch.producer_sequence);
    if (ahead == 0) return {};
    if (ahead > 0)
        return refuse(Errc::SequenceGap, fmt::format("{} come before record {}, which is missing",
                                                     name_of(shard, batch), producer->next));
    if (distance(producer->committed, batch.producer_sequence) >= 0)
        return {SequenceVerdict::Submitted, {}, {}};
    for (std::uint32_t age = 0; age < producer->count; ++age) {
        const auto known = producer->at(age).of(producer->key);
        if (is_repetition(batch, known)) return {SequenceVerdict::Committed, known, {}};
    }
    const std::uint32_t oldest = producer->count == 0
                                     ? producer->committed
                                     : producer->at(producer->count - 1).first_sequence;
    const std::uint32_t end = batch.producer_sequence + batch.record_count;
    if (distance(oldest, end) <= 0)
        return refuse(Errc::SequenceStale,
                      fmt::format("{} were dealt with before record {}, the first whose place is "
                                  "remembered; they are not stored again",
                                  name_of(shard, batch), oldest));
    return refuse(Errc::SequenceConflict,
                  fmt::format("{} are numbers of other batches", name_of(shard, batch)));
}

bool ProducerTable::submit(const ProducedBatch& batch) {
    Producer* producer = find_or_make(batch, true);
    if (producer == nullptr) return false;
    producer->next = batch.next_sequence();
    ++producer->on_their_way;
    touch(*producer, batch.arrival_ms);
    return true;
}

void ProducerTable::turn_away(ShardUid shard, std::uint64_t producer_id,
                              std::uint32_t first_sequence) {
    if (producer_id == 0 || find(shard, producer_id) != nullptr) return;
    if (turned_away_.size() >= config_.producers) turned_away_.clear();
    const auto [first, is_new] =
        turned_away_.emplace(Key{producer_id, shard.value}, first_sequence);
    if (!is_new && distance(first->second, first_sequence) < 0) first->second = first_sequence;
}

void ProducerTable::commit(const ProducedBatch& batch) {
    Producer* producer = find(batch);
    if (producer == nullptr) return;  // its shard was deleted meanwhile
    TM_CHECK(producer->on_their_way > 0 && producer->committed == batch.first_sequence,
             "batch {} follows {}", batch.first_sequence, producer->committed);
    --producer->on_their_way;
    const std::uint32_t next = producer->next;
    learn(batch);
    producer->next = next;
}

void ProducerTable::withdraw(const ProducedBatch& batch) {
    Producer* producer = find(batch);
    if (producer == nullptr) return;
    TM_CHECK(producer->on_their_way > 0);
    if (distance(producer->next, batch.first_sequence) < 0) producer->next = batch.first_sequence;
    if (--producer->on_their_way > 0 || producer->count > 0) return;
    const std::uint32_t first = producer->next;
    erase(at_.at(producer->key));
    turn_away(ShardUid{batch.shard}, batch.producer_id, first);
}

void ProducerTable::learn(const ProducedBatch& batch) {
    Producer& producer = *find_or_make(batch, false);
    // One that was forgotten and came back, or whose batches were damaged: it has begun anew.
    if (producer.committed != batch.first_sequence) producer.count = 0;
    producer.next = producer.committed = batch.next_sequence();
    producer.newest = (producer.newest + 1) % kWindow;
    producer.count = std::min(producer.count + 1, kWindow);
    producer.stored[producer.newest] = {batch.first_ordinal, batch.arrival_ms, batch.first_sequence,
                                        batch.record_count, batch.payload_crc};
    touch(producer, batch.arrival_ms);
}

ProducerPosition ProducerTable::position(ShardUid shard, std::uint64_t producer_id) const {
    const Producer* producer = find(shard, producer_id);
    if (producer == nullptr || producer->count == 0) return {};
    const Stored& last = producer->at(0);
    return {true, producer->committed, last.first_ordinal + last.record_count};
}

bool ProducerTable::is_busy(ShardUid shard, std::uint64_t producer_id) const {
    const Producer* producer = find(shard, producer_id);
    return producer != nullptr && producer->on_their_way > 0;
}

// ---- who is remembered

const ProducerTable::Producer* ProducerTable::find(ShardUid shard,
                                                   std::uint64_t producer_id) const {
    const auto found = at_.find(Key{producer_id, shard.value});
    return found == at_.end() ? nullptr : &slots_[found->second];
}

ProducerTable::Producer* ProducerTable::find(const ProducedBatch& batch) {
    const auto found = at_.find(Key{batch.producer_id, batch.shard});
    return found == at_.end() ? nullptr : &slots_[found->second];
}

ProducerTable::Producer* ProducerTable::find_or_make(const ProducedBatch& batch, bool must_fit) {
    if (Producer* known = find(batch)) return known;
    if (!make_room(batch.shard) && must_fit) return nullptr;
    std::uint32_t slot = 0;
    if (free_.empty()) {
        slot = static_cast<std::uint32_t>(slots_.size());
        slots_.emplace_back();
    } else {
        slot = free_.back();
        free_.pop_back();
    }
    Producer& producer = slots_[slot];
    producer = {};
    producer.key = {batch.producer_id, batch.shard};
    producer.next = producer.committed = batch.first_sequence;
    turned_away_.erase(producer.key);
    at_.emplace(producer.key, slot);
    append(lane_, &Producer::in_lane, slot);
    append(shards_[batch.shard], &Producer::in_shard, slot);
    return &producer;
}

bool ProducerTable::make_room(std::uint32_t shard) {
    if (const auto list = shards_.find(shard);
        list != shards_.end() && list->second.size >= config_.producers_per_shard) {
        const auto idle = longest_idle(list->second, &Producer::in_shard);
        if (idle == kNone) return false;
        erase(idle);
    }
    if (at_.size() >= config_.producers) {
        const auto idle = longest_idle(lane_, &Producer::in_lane);
        if (idle == kNone) return false;
        erase(idle);
    }
    return true;
}

// One with batches on their way is not idle: forgetting it would let them be repeated.
std::uint32_t ProducerTable::longest_idle(const List& list, Links Producer::* links) const {
    std::uint32_t slot = list.first;
    while (slot != kNone && slots_[slot].on_their_way > 0)
        slot = (slots_[slot].*links).after;
    return slot;
}

void ProducerTable::touch(Producer& producer, std::int64_t now_ms) {
    producer.used_ms = now_ms;
    const std::uint32_t slot = at_.at(producer.key);
    if (lane_.last != slot) {
        remove(lane_, &Producer::in_lane, slot);
        append(lane_, &Producer::in_lane, slot);
    }
    List& shard = shards_[producer.key.shard];
    if (shard.last != slot) {
        remove(shard, &Producer::in_shard, slot);
        append(shard, &Producer::in_shard, slot);
    }
}

void ProducerTable::append(List& list, Links Producer::* links, std::uint32_t slot) {
    slots_[slot].*links = {list.last, kNone};
    (list.last == kNone ? list.first : (slots_[list.last].*links).after) = slot;
    list.last = slot;
    ++list.size;
}

void ProducerTable::remove(List& list, Links Producer::* links, std::uint32_t slot) {
    const auto [before, after] = slots_[slot].*links;
    (before == kNone ? list.first : (slots_[before].*links).after) = after;
    (after == kNone ? list.last : (slots_[after].*links).before) = before;
    --list.size;
}

void ProducerTable::erase(std::uint32_t slot) {
    const Key key = slots_[slot].key;
    remove(lane_, &Producer::in_lane, slot);
    const auto shard = shards_.find(key.shard);
    remove(shard->second, &Producer::in_shard, slot);
    if (shard->second.size == 0) shards_.erase(shard);
    at_.erase(key);
    free_.push_back(slot);
}

void ProducerTable::forget(ShardUid shard) {
    for (auto found = shards_.find(shard.value); found != shards_.end();
         found = shards_.find(shard.value))
        erase(found->second.first);
}

void ProducerTable::forget_idle(std::int64_t now_ms) {
    while (lane_.first != kNone) {
        const Producer& idle = slots_[lane_.first];
        if (idle.on_their_way > 0 || now_ms - idle.used_ms <= config_.producer_idle.count()) break;
        erase(lane_.first);
    }
}

void ProducerTable::clear() {
    for (auto slot = lane_.first; slot != kNone; slot = slots_[slot].in_lane.after) {
        const Producer& producer = slots_[slot];
        if (producer.count == 0) turned_away_[producer.key] = producer.committed;
    }
    at_.clear();
    shards_.clear();
    lane_ = {};
    slots_.clear();
    free_.clear();
}

std::vector<ProducedBatch> ProducerTable::remembered() const {
    std::vector<ProducedBatch> batches;
    for (auto slot = lane_.first; slot != kNone; slot = slots_[slot].in_lane.after) {
        const Producer& producer = slots_[slot];
        for (std::uint32_t age = producer.count; age-- > 0;)
            batches.push_back(producer.at(age).of(producer.key));
    }
    return batches;
}

}  // namespace tidemill
